"""Background sound: our own, the same everywhere, at its three gains."""

import hashlib
import math

from media.audio.ambience import LOOP_S, ambience_of, office
from media.audio.mulaw import decode, peak, rms


def db(quotient: float) -> float:
    return 20 * math.log10(quotient)


def level(gain: str) -> int:
    ambience = ambience_of("office", gain)
    assert ambience is not None
    return rms(decode(ambience.alone(LOOP_S * 50)))


def test_no_background_sound_is_none() -> None:
    assert ambience_of("none", "high") is None


def test_the_loop_is_the_same_on_every_machine() -> None:
    assert hashlib.sha256(office()).hexdigest().startswith(OFFICE_DIGEST)


def test_the_gains_are_10_and_4_db_apart_from_the_loudest() -> None:
    high = level("high")
    assert abs(db(level("medium") / high) + 4) < 0.5
    assert abs(db(level("low") / high) + 10) < 0.8


def test_the_master_is_subtle_and_never_clips() -> None:
    assert -42 < db(rms(office()) / 32768) < -30
    assert 4000 < peak(office()) < 8000


def test_the_loop_has_no_seam_and_no_silence() -> None:
    ambience = ambience_of("office", "high")
    assert ambience is not None
    first = ambience.alone(LOOP_S * 50)
    again = ambience.alone(LOOP_S * 50)
    assert first == again
    seconds = [rms(decode(first[at : at + 8000])) for at in range(0, len(first), 8000)]
    assert min(seconds) > 60


def test_mixing_goes_on_where_the_loop_is() -> None:
    mixed, alone = ambience_of("office", "high"), ambience_of("office", "high")
    assert mixed is not None
    assert alone is not None
    for _ in range(LOOP_S * 10 + 3):
        assert mixed.under(b"\xff" * 800) == alone.alone(5)


OFFICE_DIGEST = "8e1864724cf1bfe6"
