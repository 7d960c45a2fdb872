"""A fault strikes exactly the occurrence it was armed for."""

import pytest
from pydantic import ValidationError

from deploy.simulator.faults import FAULTS, Fault, Faults


def _faults(**fields: object) -> Faults:
    faults = Faults()
    faults.arm(Fault.model_validate({"vendor": "twilio", "at": "create", "kind": "drop", **fields}))
    return faults


def _struck(faults: Faults, number: str, times: int, subject: str = "") -> list[bool]:
    return [faults.take("twilio", "create", number=number, subject=subject) is not None for _ in range(times)]


def test_by_default_the_next_occurrence_is_struck_once() -> None:
    assert _struck(_faults(), "+1", 3) == [True, False, False]


def test_the_nth_and_its_followers_can_be_meant() -> None:
    assert _struck(_faults(nth=2, times=2), "+1", 5) == [False, True, True, False, False]
    assert _struck(_faults(nth=2, times=0), "+1", 4) == [False, True, True, True]


def test_only_matching_numbers_and_subjects_count() -> None:
    faults = _faults(number="99", contains="ringing", nth=2)
    assert _struck(faults, "+198", 2, "ringing") == [False, False]
    assert _struck(faults, "+199", 2, "busy") == [False, False]
    assert _struck(faults, "+199", 2, "is ringing") == [False, True]
    assert next(iter(faults)).view()["struck"] == 1


def test_another_place_or_vendor_is_not_struck() -> None:
    faults = _faults()
    assert faults.take("twilio", "list") is None
    assert faults.take("openai_chat", "request") is None


@pytest.mark.parametrize(
    "fields", [{"vendor": "telnyx"}, {"at": "nowhere"}, {"kind": "explode"}, {"status": 200}, {"extra": 1}]
)
def test_a_fault_nobody_can_act_out_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _faults(**fields)


def test_every_vendor_can_be_refused_or_broken() -> None:
    assert {vendor for vendor, _ in FAULTS} == {
        "twilio",
        "openai_realtime",
        "openai_chat",
        "deepgram_listen",
        "deepgram_speak",
    }
