"""The carrier's buffer: real time, marks when played, clear at once."""

from deploy.simulator import mulaw
from deploy.simulator.twilio_playout import Playout
from deploy.simulator.voice import silence, speak


def test_audio_plays_in_frames_and_a_short_end_is_padded() -> None:
    playout = Playout()
    playout.add(b"a" * 200)
    assert playout.take_frame() == (b"a" * 160, ())
    assert playout.take_frame() == (b"a" * 40 + mulaw.SILENCE_FRAME[40:], ())
    assert playout.take_frame() == (None, ())
    assert playout.played_bytes == 200


def test_a_mark_returns_when_what_came_before_it_was_played() -> None:
    playout = Playout()
    playout.add(b"a" * 320)
    assert playout.mark("one") == ()
    playout.add(b"b" * 160)
    assert playout.mark("two") == ()
    assert [playout.take_frame()[1] for _ in range(3)] == [(), ("one",), ("two",)]


def test_a_mark_with_nothing_before_it_returns_at_once() -> None:
    assert Playout().mark("now") == ("now",)


def test_clear_empties_the_buffer_and_returns_every_mark() -> None:
    playout = Playout()
    playout.add(speak("a long sentence"))
    playout.mark("one")
    playout.mark("two")
    playout.take_frame()
    assert playout.clear() == ("one", "two")
    assert playout.take_frame() == (None, ())
    assert playout.cleared_bytes == len(speak("a long sentence")) - 160
    playout.add(b"c" * 160)
    assert playout.mark("three") == ()
    assert playout.take_frame() == (b"c" * 160, ("three",))


def test_a_long_buffer_keeps_its_marks_exact() -> None:
    playout = Playout()
    playout.add(silence(30_000))
    playout.mark("end")
    frames = [playout.take_frame()[1] for _ in range(1500)]
    assert frames[-1] == ("end",)
    assert not any(frames[:-1])
