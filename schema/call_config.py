"""How a call is to sound and what is to be drawn from it: the fields a direct call and a campaign share.

Ranges, defaults and either/or rules follow the create-call contract. What a field does is decided in `media` and
`dispatcher`; a field whose feature this installation does not have is refused here, never ignored.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schema.events import DEFAULT_CALL_EVENTS, EventType
from schema.wire import E164, Fields, HttpUrl, Line, Prompt, Wire

REALTIME_VOICES = (
    "alloy",
    "echo",
    "shimmer",
    "ash",
    "ballad",
    "coral",
    "sage",
    "verse",
    "marin",
    "cedar",
)
AURA_VOICE_PATTERN = r"^aura-2-[a-z]+-[a-z]{2}$"
DEFAULT_AURA_VOICE = "aura-2-thalia-en"


class Mode(StrEnum):
    """realtime: speech to speech. legacy: STT, then LLM, then TTS."""

    REALTIME = "realtime"
    LEGACY = "legacy"


class AnalysisType(StrEnum):
    """What a field drawn from the transcript may be. `text` is another word for `string`."""

    BOOLEAN = "boolean"
    STRING = "string"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


class AnalysisField(Wire):
    """One field of `analysis_schema` in its rich form."""

    type: AnalysisType
    description: str | None = Field(default=None, max_length=1_000)


AnalysisKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
AnalysisSchema = Annotated[dict[AnalysisKey, AnalysisType | AnalysisField], Field(max_length=50)]


class Voicemail(Wire):
    """What to do when a machine answers. `detect: amd` asks the carrier to tell machines from people."""

    detect: Literal["off", "amd"] = "amd"
    action: Literal["hangup", "continue"] = "hangup"


class CallConfig(Wire):
    """Everything about one conversation except whom to call and when.

    Durations: `max_duration` in minutes, `inactivity_timeout` and `ring_timeout` in seconds.
    """

    task: Prompt | None = None
    instructions: Prompt | None = None
    first_sentence: Line | None = None
    mode: Mode = Mode.REALTIME
    voice: str | None = Field(default=None, min_length=1, max_length=100)
    model: str | None = Field(default=None, min_length=1, max_length=100)
    temperature: float = Field(default=0.7, ge=0, le=1)
    stt_provider: Literal["deepgram"] = "deepgram"
    stt_model: str = Field(default="nova-3", min_length=1, max_length=100)
    stt_language: str | None = Field(default=None, min_length=2, max_length=20)
    tts_provider: Literal["deepgram"] = "deepgram"
    tts_model: str | None = Field(default=None, min_length=1, max_length=100)
    max_duration: float = Field(default=5, ge=1, le=60)
    background_audio: Literal["office", "none"] = "office"
    background_audio_gain: Literal["low", "medium", "high"] = "medium"
    from_number: E164 | None = None
    record: bool = True
    voicemail: Voicemail = Voicemail()
    ring_timeout: int = Field(default=30, ge=15, le=120)
    inactivity_timeout: int = Field(default=20, ge=10, le=300)
    analysis_schema: AnalysisSchema | None = None
    webhook_url: HttpUrl | None = None
    webhook_events: tuple[EventType, ...] = DEFAULT_CALL_EVENTS
    metadata: Fields = Field(default_factory=dict)
    request_data: Fields = Field(default_factory=dict)

    @model_validator(mode="after")
    def _task_xor_instructions(self) -> Self:
        if self.task is not None and self.instructions is not None:
            raise ValueError("task: give task or instructions, not both; remove one of them")
        return self

    @model_validator(mode="after")
    def _voice_fits_mode(self) -> Self:
        if self.mode is Mode.REALTIME and self.voice is not None and self.voice not in REALTIME_VOICES:
            known = ", ".join(REALTIME_VOICES)
            raise ValueError(f"voice: {self.voice!r} is not a realtime voice; use one of {known}, or mode legacy")
        if self.mode is Mode.REALTIME:
            legacy_only = {
                "stt_provider",
                "stt_model",
                "stt_language",
                "tts_provider",
                "tts_model",
            }
            fields = type(self).model_fields
            given = sorted(name for name in legacy_only if getattr(self, name) != fields[name].default)
            if given:
                raise ValueError(f"{given[0]}: only used when mode is legacy; set mode to legacy or remove the field")
        return self
