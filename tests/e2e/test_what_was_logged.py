"""What the processes wrote to their logs in the whole run: no errors, no restarts, nothing personal, no secrets."""

import json
from collections.abc import Iterator

import pytest

from deploy.embedded.supervisor import EventKind, ProcessEvent
from deploy.launch import SIMULATED_DEEPGRAM_KEY, SIMULATED_OPENAI_KEY, SIMULATED_TWILIO_TOKEN
from tests.e2e.conftest import Scenes
from tests.installation import Installation, Json

BAD = {"error", "critical"}
SPOKEN = ("Bright Dental", "bright dental", "thank you for your time", "Confirm the appointment")


@pytest.fixture(scope="module")
def logs(up: Installation) -> dict[str, str]:
    """The log of every process so far."""
    return {path.stem: path.read_text(encoding="utf-8") for path in (up.data_dir / "logs").glob("*.log")}


def test_every_process_has_a_log_and_none_has_an_error_in_it(logs: dict[str, str]) -> None:
    assert {name.partition(".")[0] for name in logs} == {"release", "web", "beat", "dispatch", "post", "media"}
    errors = [
        (name, entry["event"]) for name, text in logs.items() for entry in _entries(text) if entry["level"] in BAD
    ]
    assert errors == []
    assert [name for name, text in logs.items() if "Traceback" in text] == []


def test_no_process_ended_before_it_was_told_to(up: Installation) -> None:
    kinds = {event.kind for event in _events(up)}
    assert EventKind.STARTED in kinds
    assert not kinds & {EventKind.EXITED, EventKind.RESTARTED}


def test_no_log_names_a_number_that_was_dialled(up: Installation, logs: dict[str, str]) -> None:
    numbers = {dial["to"].removeprefix("+") for dial in up.world.dials()}
    assert numbers
    assert [(name, number) for name, text in logs.items() for number in numbers if number in text] == []


def test_no_log_repeats_what_was_said_or_a_secret(scenes: Scenes, logs: dict[str, str]) -> None:
    keys = [scene.customer.api_key.split("_", 3)[3] for scene in scenes.values()]
    hooks = [scene.customer.webhook_secret for scene in scenes.values()]
    private = {*SPOKEN, *keys, *hooks, SIMULATED_TWILIO_TOKEN, SIMULATED_OPENAI_KEY, SIMULATED_DEEPGRAM_KEY}
    assert [(name, text) for name, log in logs.items() for text in private if text in log] == []


def _entries(text: str) -> Iterator[Json]:
    """Yield the structured lines of a log."""
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _events(up: Installation) -> Iterator[ProcessEvent]:
    """Yield everything the supervisor has seen."""
    while True:
        try:
            yield up.supervisor.wait_any(timeout_s=0)
        except TimeoutError:
            return
