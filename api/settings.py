"""What the web process reads from its environment, once."""

from pathlib import Path

from pydantic import Field

from schema.settings import ProcessSettings
from schema.wire import E164_PATTERN


class ApiSettings(ProcessSettings):
    """Configuration of one web process."""

    database_connections: int = Field(default=10, ge=2, le=100, description="connections this process keeps open")
    from_number: str | None = Field(
        default=None, pattern=E164_PATTERN, description="caller id in E.164 for accounts and calls that name none"
    )
    recordings_dir: Path = Field(default=Path("recordings"), description="folder the media workers write recordings to")
    public_base_url: str = Field(
        default="", pattern=r"^(https?://[^\s?#]+)?$", description="public address of the API, makes links in answers"
    )
