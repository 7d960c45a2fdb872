"""A finished call as its account reads it: timeline, transcript and recording."""

import wave
from io import BytesIO

import pytest

from tests.e2e.client import answer_of
from tests.e2e.conftest import Scenes
from tests.e2e.scenario import Mode, Scenario, chosen

CONFIRMED = chosen("a person confirms, says goodbye and is told goodbye")


def _ids(entry: tuple[Scenario, Mode]) -> str:
    return entry[1]


@pytest.mark.parametrize("chosen", CONFIRMED, ids=_ids)
def test_the_timeline_tells_the_call_in_the_order_it_happened(chosen: tuple[Scenario, Mode], scenes: Scenes) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    assert scene.record["completed"]
    entries = scene.customer.client.get(f"/v1/calls/{scene.call_id}/events")["data"]
    assert [entry["kind"] for entry in entries] == [
        "accepted",
        "dialing",
        "ringing",
        "answered",
        "ended",
        "completed",
    ]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


@pytest.mark.parametrize("chosen", CONFIRMED, ids=_ids)
def test_the_recording_can_be_heard_whole_and_in_parts(chosen: tuple[Scenario, Mode], scenes: Scenes) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    assert scene.recording is not None
    answer = answer_of(scene.customer, "GET", f"/v1/calls/{scene.call_id}/recording")
    assert answer.headers["Content-Type"] in {"audio/wav", "audio/x-wav"}
    assert answer.content == scene.recording.read_bytes()
    with wave.open(BytesIO(answer.content)) as recording:
        assert recording.getnchannels() == 2
        recorded_s = recording.getnframes() / recording.getframerate()
    assert recorded_s == pytest.approx(scene.record["duration"] * 60, abs=0.5)


@pytest.mark.parametrize("chosen", CONFIRMED, ids=_ids)
def test_the_transcript_is_the_records_own(chosen: tuple[Scenario, Mode], scenes: Scenes) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    shown = scene.customer.client.get(f"/v1/calls/{scene.call_id}/transcript")
    assert shown["completed"]
    assert shown["transcript"] == scene.record["transcript"]
    said_at = [line["created_at"] for line in shown["transcript"]]
    assert said_at == sorted(said_at)
