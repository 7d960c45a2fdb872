"""What a media worker reads from its environment, once."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from media.providers import CarrierSettings, ProviderSettings
from schema.settings import ProcessSettings

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class MediaSettings(ProcessSettings):
    """Configuration of one media worker process."""

    media_slots: int = Field(default=20, ge=1, le=1000, description="live calls this process carries at most")
    media_bind_host: str = Field(default="127.0.0.1", description="address the stream listener binds to")
    media_port: int = Field(default=0, ge=0, le=65535, description="port of the stream listener, 0 for any free one")
    media_public_url: str = Field(
        default="", pattern=r"^(wss?://[^\s?#/]+)?$", description="wss:// address carriers reach this worker at"
    )
    media_drain_grace_s: float = Field(
        default=120, ge=0, le=7200, description="seconds live calls may still last after SIGTERM"
    )
    recordings_dir: Path = Field(default=Path("recordings"), description="folder the stereo recordings are written to")
    twilio_base_url: str = Field(default="https://api.twilio.com", description="base URL of the Twilio REST API")
    twilio_account_sid: str = Field(pattern="^AC[0-9a-f]{32}$", description="Twilio account SID, AC…")
    twilio_auth_token: str = Field(min_length=1, description="Twilio auth token, also checks its signatures")
    openai_base_url: str = Field(default="https://api.openai.com/v1", description="base URL of the OpenAI API")
    openai_api_key: str = Field(min_length=1, description="OpenAI API key")
    openai_realtime_model: str = Field(default="gpt-realtime-2.1", description="default model of realtime calls")
    openai_chat_model: str = Field(default="gpt-5.6-terra", description="default model of legacy calls")
    openai_transcribe_model: str = Field(
        default="gpt-transcribe", description="model that writes down the callee's side of realtime calls"
    )
    deepgram_base_url: str = Field(default="https://api.deepgram.com", description="base URL of the Deepgram API")
    deepgram_api_key: str = Field(default="", description="Deepgram API key, needed for legacy calls")

    def carrier(self) -> CarrierSettings:
        """Give the carrier's part."""
        return CarrierSettings(self.twilio_base_url, self.twilio_account_sid, self.twilio_auth_token)

    def providers(self) -> ProviderSettings:
        """Give the AI providers' part."""
        return ProviderSettings(
            openai_base_url=self.openai_base_url,
            openai_api_key=self.openai_api_key,
            openai_realtime_model=self.openai_realtime_model,
            openai_chat_model=self.openai_chat_model,
            deepgram_base_url=self.deepgram_base_url,
            deepgram_api_key=self.deepgram_api_key,
            transcribe_model=self.openai_transcribe_model,
        )

    @property
    def carrier_is_local(self) -> bool:
        """Whether the carrier is on this machine, which only a simulated one can be."""
        return urlsplit(self.twilio_base_url).hostname in LOOPBACK_HOSTS

    def problems(self) -> tuple[str, ...]:
        """Add what the fields say only together."""
        found = list(super().problems())
        if not self.media_public_url and not self.carrier_is_local:
            found.append(
                "MEDIA_PUBLIC_URL: not set; set it to the wss:// address at which the carrier reaches this worker"
            )
        if self.media_public_url.startswith("ws://") and not self.carrier_is_local:
            found.append(f"MEDIA_PUBLIC_URL: {self.media_public_url!r} is not wss://; the carrier refuses plain ws")
        return tuple(found)
