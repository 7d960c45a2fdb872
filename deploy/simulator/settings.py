"""What the simulated world is told when it starts: whose keys it accepts, how fast its vendors are, where it logs.

Every value has a default, so that a test or the demo names only what it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_OPENAI_KEY: Final = "sk-simulated"
DEFAULT_DEEPGRAM_KEY: Final = "dg-simulated"
DEFAULT_TWILIO_SID: Final = "AC00000000000000000000000000000001"
DEFAULT_TWILIO_TOKEN: Final = "simulated-token"  # noqa: S105 - it opens nothing
CANNED_VENDORS: Final = frozenset({"twilio", "openai", "deepgram"})


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """Settings of one simulated world.

    Attributes:
        openai_keys: accepted OpenAI keys.
        deepgram_keys: accepted Deepgram keys.
        twilio_sid: the one account the carrier knows.
        twilio_token: its auth token, which also signs callbacks.
        twilio_calls_per_s: dials the carrier starts per second, the rest waits queued; 0 is unlimited.
        canned: vendors that skip decoding and play prepared audio, so that a bench measures the other side.
        think_ms: from the end of a turn to the model's first output.
        audio_speedup: how many times faster than real time speech is delivered.
        transcription_ms: from the end of a turn to its transcription in a realtime session.
        session_s: longest realtime session.
        idle_s: longest silence on a Deepgram listening socket.
        log_dir: where dials, ended calls and deliveries are appended as JSON lines; None keeps them in memory only.
    """

    openai_keys: frozenset[str] = frozenset({DEFAULT_OPENAI_KEY})
    deepgram_keys: frozenset[str] = frozenset({DEFAULT_DEEPGRAM_KEY})
    twilio_sid: str = DEFAULT_TWILIO_SID
    twilio_token: str = DEFAULT_TWILIO_TOKEN
    twilio_calls_per_s: float = 0.0
    canned: frozenset[str] = frozenset()
    think_ms: int = 100
    audio_speedup: float = 10.0
    transcription_ms: int = 150
    session_s: float = 3600.0
    idle_s: float = 10.0
    log_dir: Path | None = None


def credentials(env: Mapping[str, str]) -> dict[str, str | frozenset[str]]:
    """Return the fields set by SIM_OPENAI_KEY, SIM_DEEPGRAM_KEY (comma separated), SIM_TWILIO_SID, SIM_TWILIO_TOKEN."""
    found: dict[str, str | frozenset[str]] = {}
    for name, field in (("SIM_OPENAI_KEY", "openai_keys"), ("SIM_DEEPGRAM_KEY", "deepgram_keys")):
        if env.get(name):
            found[field] = frozenset(key.strip() for key in env[name].split(",") if key.strip())
    for name, field in (("SIM_TWILIO_SID", "twilio_sid"), ("SIM_TWILIO_TOKEN", "twilio_token")):
        if env.get(name):
            found[field] = env[name]
    return found
