"""The base of every wire model and the field types they share.

Wire models refuse unknown fields and never coerce types silently: a caller always learns which field is wrong.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

E164_PATTERN = r"^\+[1-9]\d{1,14}$"
E164_MESSAGE = "Phone number must be in E.164 format (e.g., +14155551234)"
FIRST_YEAR = 1970
LAST_YEAR = 2199

E164 = Annotated[str, StringConstraints(pattern=E164_PATTERN)]


def in_reach(instant: datetime) -> datetime:
    """Accept an instant that databases and time zones can compute with.

    Raises:
        ValueError: it lies before 1970 or after 2199.
    """
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"{instant.isoformat()} is out of reach; give an instant from 1970 to 2199")
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(in_reach)]
Prompt = Annotated[str, StringConstraints(min_length=10, max_length=50_000)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,63}$")]
Fields = Annotated[dict[str, object], Field(max_length=200)]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2_000)]


class Wire(BaseModel):
    """A JSON object at the HTTP or message boundary: closed, strict about names, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False, str_max_length=100_000)
