"""Where carriers and providers are and what opens them, as plain values.

Read from the environment by the worker's settings; which vendor a call uses is decided in `pipelines/build.py`.
Secrets are kept out of `repr`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Addresses, keys and default models of the speech and language providers.

    Attributes:
        transcribe_model: model that writes down the callee's side of a realtime call.
        first_token_timeout_s: how long a chat model may think before its reply is given up.
    """

    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: str = field(default="", repr=False)
    openai_realtime_model: str = "gpt-realtime-2.1"
    openai_chat_model: str = "gpt-5.6-terra"
    deepgram_base_url: str = "https://api.deepgram.com"
    deepgram_api_key: str = field(default="", repr=False)
    transcribe_model: str = "gpt-transcribe"
    first_token_timeout_s: float = 4.0


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """Address and credentials of the carrier account."""

    twilio_base_url: str
    twilio_account_sid: str
    twilio_auth_token: str = field(repr=False)
