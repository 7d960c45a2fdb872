"""What a dispatcher process (beat, dispatch, post) reads from its environment, once."""

from pydantic import Field

from schema.settings import ProcessSettings


class DispatcherSettings(ProcessSettings):
    """Configuration of one dispatcher process."""

    database_connections: int = Field(default=10, ge=2, le=100, description="connections this process keeps open")
    public_base_url: str = Field(
        default="", pattern=r"^(https?://[^\s?#]+)?$", description="public address of the API, makes links in webhooks"
    )
    openai_base_url: str = Field(default="https://api.openai.com/v1", description="base URL of the OpenAI API")
    openai_api_key: str = Field(default="", description="OpenAI API key; without it calls get no summary or analysis")
    openai_chat_model: str = Field(default="gpt-5.6-terra", description="model that summarises and analyses calls")
    egress_allow_private: bool = Field(
        default=False, description="1 lets webhooks reach private and loopback addresses, for demos and tests"
    )
