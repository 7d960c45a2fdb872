"""How the processes of the Procfile are started on one machine: their environment and where their logs go.

Serves `make demo`, `make up` and the end-to-end tests. Which vendors are simulated is decided by which keys are set.
"""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA_DIR = ROOT / ".trunkline"

SIMULATED_TWILIO_SID = "AC00000000000000000000000000000001"
SIMULATED_TWILIO_TOKEN = "simulated-token"  # noqa: S105
SIMULATED_OPENAI_KEY = "sk-simulated"
SIMULATED_DEEPGRAM_KEY = "dg-simulated"


@dataclass(frozen=True, slots=True)
class Vendor:
    """An outside party: the variables that make it real, and those that point to its simulation instead."""

    name: str
    needs: tuple[str, ...]

    def simulated(self, world_url: str) -> dict[str, str]:
        """Give the variables that point this vendor's adapter to the simulated world."""
        return {
            "Twilio": {
                "TWILIO_BASE_URL": world_url,
                "TWILIO_ACCOUNT_SID": SIMULATED_TWILIO_SID,
                "TWILIO_AUTH_TOKEN": SIMULATED_TWILIO_TOKEN,
            },
            "OpenAI": {"OPENAI_BASE_URL": f"{world_url}/openai/v1", "OPENAI_API_KEY": SIMULATED_OPENAI_KEY},
            "Deepgram": {"DEEPGRAM_BASE_URL": f"{world_url}/deepgram", "DEEPGRAM_API_KEY": SIMULATED_DEEPGRAM_KEY},
        }[self.name]


VENDORS = (
    Vendor("Twilio", ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")),
    Vendor("OpenAI", ("OPENAI_API_KEY",)),
    Vendor("Deepgram", ("DEEPGRAM_API_KEY",)),
)


def simulated_vendors(env: Mapping[str, str]) -> tuple[Vendor, ...]:
    """List the vendors for which no key is set."""
    return tuple(vendor for vendor in VENDORS if not all(env.get(name) for name in vendor.needs))


def process_env(
    *,
    database_url: str,
    broker_url: str,
    world_url: str | None,
    simulated: tuple[Vendor, ...],
    web_port: int,
    data_dir: Path,
    media_slots: int,
) -> dict[str, str]:
    """Compose the environment of every process of the Procfile."""
    env = dict(os.environ)
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    env["PYTHONPATH"] = str(ROOT)
    env.setdefault("PYTHONWARNINGS", "ignore::DeprecationWarning")
    env.update(
        DATABASE_URL=database_url,
        CELERY_BROKER_URL=broker_url,
        WEB_BIND=f"127.0.0.1:{web_port}",
        BEAT_SCHEDULE_FILE=str(data_dir / "beat-schedule"),
        RECORDINGS_DIR=str(data_dir / "recordings"),
        MEDIA_SLOTS=str(media_slots),
    )
    env.setdefault("PUBLIC_BASE_URL", f"http://127.0.0.1:{web_port}")
    if world_url is not None:
        for vendor in simulated:
            env.update(vendor.simulated(world_url))
        if simulated:
            env["EGRESS_ALLOW_PRIVATE"] = "1"
    return env


def read_dotenv(path: Path) -> dict[str, str]:
    """Read KEY=value lines; blank lines and # comments are passed over, quotes around a value are taken off."""
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if _assigns(line))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def free_port() -> int:
    """Find a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _assigns(line: str) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith("#") and "=" in text
