"""What a scene must show, claim by claim: each is an assertion of its own and names what it compared.

Texts are compared without blanks: a pause inside a word reads as one when the line or the machine is slow.
"""

from typing import Any

import pytest

from deploy.simulator.voice import canonical, decode_wav_stereo
from tests.e2e.scenario import Line
from tests.e2e.stage import Scene

Json = dict[str, Any]
Said = list[tuple[str, str]]

_ROUNDED_S = 0.01
"""Minutes of a record are rounded to four digits."""
_WORD_TRAVELS_S = 1.0
"""How much later than the carrier itself we may hear that a call is over."""
_SHOWN = 0.011
"""Minutes of a balance are shown to two digits."""


def squeezed(text: str) -> str:
    """Return the text as a voice says it, without blanks."""
    return canonical(text).replace(" ", "")


def check_record(scene: Scene) -> None:
    """The record says how the call ended and whose fault it was."""
    expected, record = scene.scenario.expect, scene.record
    assert {key: record[key] for key in expected.record} == expected.record
    assert record["completed"]
    if expected.error:
        assert expected.error in record["error_message"]
    else:
        assert record["error_message"] is None
    assert set(record["latency"]) == set(expected.latency) or not expected.latency
    for stage in expected.latency:
        assert 0 <= record["latency"][stage]["p50"] <= record["latency"][stage]["p95"]


def check_dials(scene: Scene) -> None:
    """The carrier was asked exactly as often as we say, and the call is over there too."""
    assert scene.dials == scene.scenario.expect.dials
    if scene.truth is not None:
        assert not scene.truth["live"]


def check_ear(scene: Scene) -> None:
    """What sounded in the callee's ear."""
    expected = scene.scenario.expect
    heard = squeezed(scene.truth["heard_text"]) if scene.truth else ""
    at = 0
    for text in expected.heard:
        found = heard.find(squeezed(text), at)
        assert found >= 0, f"{text!r} was not heard, or not in this order, in {heard!r}"
        at = found + len(squeezed(text))
    for text in expected.unheard:
        assert squeezed(text) not in heard


def check_conversation(scene: Scene) -> None:
    """Ear, transcript and recording tell the conversation of the scenario, turn by turn."""
    script = scene.scenario.expect.conversation
    if script is None:
        return
    truth = said_at_the_carrier(scene.truth) if scene.truth else []
    written = merged([(line["user"], squeezed(line["text"])) for line in scene.record["transcript"]])
    _compare(truth, script)
    _compare(written, script)
    _check_cuts(truth, written, script)
    if script:
        assert scene.recording is not None
        callee, agent = decode_wav_stereo(scene.recording)
        assert squeezed(callee) == "".join(text for who, text in truth if who == "user")
        assert squeezed(agent) == "".join(text for who, text in truth if who == "assistant")


def check_webhook(scene: Scene) -> None:
    """One signed event tells the end, with the very record that the API shows."""
    expected = scene.scenario.expect
    assert [event.type for event in scene.events] == [expected.event]
    event = scene.events[0]
    assert event.delivery_id == event.body["id"]
    assert event.body["account_id"] == scene.record["account_id"]
    assert event.data == scene.record


def check_money(scene: Scene) -> None:
    """Talk time is charged to the second, or not at all, and nothing stays reserved."""
    record, balance = scene.record, scene.balance
    talked_s, billed_s = record["duration"] * 60, record["billed_minutes"] * 60
    carrier_s = scene.truth["duration_s"] if scene.truth else 0
    assert talked_s <= carrier_s + _WORD_TRAVELS_S
    if scene.scenario.expect.billed:
        assert billed_s - 1 - _ROUNDED_S <= talked_s <= billed_s + _ROUNDED_S
        assert talked_s > 0
    else:
        assert billed_s == 0
    assert balance["reserved"] == 0
    assert balance["used"] == pytest.approx(record["billed_minutes"], abs=_SHOWN)
    assert round(balance["remaining"] + balance["used"], 2) == balance["allocated"]


def said_at_the_carrier(truth: Json) -> Said:
    """Return who said what, in order, as it sounded on the line."""
    heard = [(stretch["start_ms"], "assistant", stretch["text"]) for stretch in truth["heard"]]
    said = [(line["at_ms"], "user", line["spoken"]) for line in truth["said"]]
    return merged([(who, squeezed(text)) for _, who, text in sorted(heard + said)])


def merged(turns: Said) -> Said:
    """Join neighbouring turns of one speaker."""
    joined: Said = []
    for who, text in turns:
        before = joined.pop()[1] if joined and joined[-1][0] == who else ""
        joined.append((who, before + text))
    return joined


def _compare(found: Said, script: tuple[Line, ...]) -> None:
    """Compare with the script; a turn that was cut is a beginning of its text, neither nothing nor all."""
    expected = merged([(line.speaker, squeezed(line.text)) for line in script])
    shortened = {squeezed(line.text) for line in script if line.cut}
    assert [who for who, _ in found] == [who for who, _ in expected]
    for (_, text), (_, whole) in zip(found, expected, strict=True):
        if whole in shortened:
            assert text
            assert whole.startswith(text)
            assert text != whole
        else:
            assert text == whole


def _check_cuts(truth: Said, written: Said, script: tuple[Line, ...]) -> None:
    """The transcript never has more of an interrupted turn than the callee heard."""
    for line in script:
        if line.agent is None or not line.cut:
            continue
        whole = squeezed(line.agent)
        heard = next(text for who, text in truth if who == "assistant" and whole.startswith(text))
        kept = next(text for who, text in written if who == "assistant" and whole.startswith(text))
        assert heard.startswith(kept)
