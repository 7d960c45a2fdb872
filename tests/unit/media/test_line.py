"""The outbound line on virtual time: pacing, marks, interruptions, background sound."""

import asyncio
from collections.abc import Awaitable, Callable

from media.audio.ambience import Ambience, ambience_of
from media.audio.pace import PaceClock
from media.clock import Clock
from media.inbox import CallInbox
from media.line import MAX_UTTERANCE_BYTES, SPEECH_LEAD_S, Cut, Line
from tests.unit.media.fakes import FakeLeg, now, speech
from tests.virtual_time import run_virtual


class Ears:
    """Remembers what the line tells about utterances."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []
        self.played: list[tuple[str, float]] = []

    def utterance_began(self, utterance: str, sent_at: float, heard_at: float) -> None:
        assert sent_at <= heard_at <= sent_at + SPEECH_LEAD_S
        self.began.append((utterance, round(sent_at - 1000, 3)))

    def utterance_played(self, utterance: str, at: float) -> None:
        self.played.append((utterance, round(at - 1000, 3)))


def on_line(
    act: Callable[[Line, FakeLeg], Awaitable[None]], *, ambience: Ambience | None = None, returns_marks: bool = True
) -> tuple[FakeLeg, Ears]:
    async def play() -> tuple[FakeLeg, Ears]:
        loop = asyncio.get_running_loop()
        inbox = CallInbox()
        leg, ears = FakeLeg(inbox, returns_marks=returns_marks), Ears()
        line = Line(PaceClock(loop, loop.time), Clock(now=loop.time), ambience)
        line.listener = ears
        inbox.on_mark = line.mark_played
        await act(line, leg)
        line.leave()
        return leg, ears

    return run_virtual(play)


def test_audio_is_sent_in_order_paced_and_at_most_100_ms_ahead() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        for part in range(10):
            line.play("one", bytes([part]) * 1630)
        line.finish("one")
        await asyncio.sleep(1.0)
        assert len(leg.audio_sent()) <= (1.0 + SPEECH_LEAD_S) * 8000
        await line.drained()
        assert round(now() - 1000, 2) == 2.04

    leg, ears = on_line(act)
    whole = b"".join(bytes([part]) * 1630 for part in range(10))
    assert leg.audio_sent() == whole + b"\xff" * (-len(whole) % 160)
    assert leg.most_buffered_s <= SPEECH_LEAD_S + 1e-6
    assert ears.began == [("one", 0.0)]
    assert ears.played == [("one", 2.04)]


def test_speech_that_comes_to_a_quiet_line_is_sent_at_once() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        await asyncio.sleep(0.513)
        line.play("one", speech(400))
        assert leg.sent

    _, ears = on_line(act)
    assert ears.began == [("one", 0.513)]


def test_what_was_said_before_the_answer_goes_out_with_it() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.play("greeting", speech(300))
        line.finish("greeting")
        await asyncio.sleep(2.0)
        assert not leg.sent
        line.join(leg, None)
        assert leg.sent
        await line.drained()

    _, ears = on_line(act)
    assert ears.began == [("greeting", 2.0)]
    assert ears.played == [("greeting", 2.3)]


def test_an_interruption_silences_line_and_carrier_and_says_what_was_heard() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        line.play("one", speech(1000))
        line.finish("one")
        line.play("two", speech(500))
        await asyncio.sleep(0.4)
        cuts = line.interrupt()
        assert cuts == (Cut("one", 400, 1000, complete=True), Cut("two", 0, 500, complete=False))
        assert line.idle
        sent = len(leg.sent)
        line.play("two", speech(500))
        line.finish("two")
        await asyncio.sleep(1.0)
        assert len(leg.sent) == sent

    leg, ears = on_line(act)
    assert len(leg.cleared_at) == 1
    assert ears.played == []


def test_the_carrier_is_cleared_even_when_we_have_sent_everything() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        line.play("one", speech(100))
        line.finish("one")
        await asyncio.sleep(0.05)
        (cut,) = line.interrupt()
        assert 0 < cut.heard_ms < 100

    leg, _ = on_line(act)
    assert len(leg.cleared_at) == 1


def test_interrupting_silence_does_nothing() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        assert line.interrupt() == ()

    leg, _ = on_line(act)
    assert leg.cleared_at == []


def test_an_utterance_heard_to_its_end_is_no_cut_though_its_mark_is_still_out() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        line.play("one", speech(100))
        line.finish("one")
        await asyncio.sleep(0.2)
        assert line.interrupt() == ()

    _, ears = on_line(act, returns_marks=False)
    assert [name for name, _ in ears.played] == ["one"]


def test_a_missing_mark_holds_nobody_up_for_ever() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        line.play("one", speech(200))
        line.finish("one")
        await line.drained()
        assert 1.2 <= now() - 1000 <= 1.25

    _, ears = on_line(act, returns_marks=False)
    assert ears.played == [("one", 0.2)]


def test_leaving_tells_what_was_never_heard() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        line.play("one", speech(1000))
        await asyncio.sleep(0.3)
        assert line.leave() == (Cut("one", 300, 1000, complete=False),)
        line.play("late", speech(100))
        assert line.idle

    on_line(act)


def test_an_underrun_sends_nothing_and_speech_goes_on_with_the_next_audio() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        line.play("one", speech(90))
        await asyncio.sleep(0.5)
        line.play("one", speech(30))
        line.finish("one")
        await line.drained()

    leg, ears = on_line(act)
    assert leg.audio_sent() == speech(120)
    assert ears.played == [("one", 0.54)]


def test_background_sound_never_pauses_and_lies_under_speech() -> None:
    ambience = ambience_of("office", "high")

    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        await asyncio.sleep(0.5)
        line.play("one", b"\xff" * 4000)
        line.finish("one")
        await line.drained()
        await asyncio.sleep(0.5)

    leg, _ = on_line(act, ambience=ambience)
    expected = ambience_of("office", "high")
    assert expected is not None
    assert leg.audio_sent() == expected.alone(len(leg.audio_sent()) // 160)
    ends = [at + len(audio) / 8000 for at, audio in leg.sent]
    begins = [at for at, _ in leg.sent]
    assert all(abs(begin - end) < 1e-6 for begin, end in zip(begins[1:], ends[:-1], strict=True))


def test_background_sound_alone_holds_a_short_lead_so_that_speech_is_heard_soon() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        await asyncio.sleep(0.5)
        assert leg.most_buffered_s <= 0.06 + 1e-6

    on_line(act, ambience=ambience_of("office", "low"))


def test_without_background_sound_nothing_is_sent_in_silence() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        line.join(leg, None)
        await asyncio.sleep(1.0)

    leg, _ = on_line(act)
    assert leg.sent == []


def test_more_audio_than_anybody_would_listen_to_is_dropped() -> None:
    async def act(line: Line, leg: FakeLeg) -> None:
        for _ in range(MAX_UTTERANCE_BYTES // 80_000 + 2):
            line.play("endless", speech(10_000))
        line.finish("endless")
        (cut,) = line.interrupt()
        assert cut.received_ms == MAX_UTTERANCE_BYTES // 8

    on_line(act)
