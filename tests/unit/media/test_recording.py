"""Recordings: both sides aligned on the call clock, on disk second by second, mendable after a kill."""

import asyncio
import shutil
import wave
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio.mulaw import decode
from media.audio.recorder import CHUNK_BYTES, StereoRecorder
from media.audio.spool import MAX_WAITING_CHUNKS, RecordingDisk
from media.audio.wav import HEADER_BYTES, header, repair
from tests.virtual_time import InlineExecutor, run_virtual

T = TypeVar("T")
P = ParamSpec("P")

BEGAN = 100.0
CALLEE = b"\x30"
AGENT = b"\x10"
SILENCE = b"\xff"


class Sink:
    """Keeps both sides as one piece each and insists on whole, gapless chunks."""

    def __init__(self) -> None:
        self.callee = b""
        self.agent = b""
        self.sizes: list[int] = []

    def write(self, position: int, callee: bytes, agent: bytes) -> None:
        assert position == len(self.callee) == len(self.agent)
        assert len(callee) == len(agent)
        self.sizes.append(len(callee))
        self.callee += callee
        self.agent += agent


def callee_talks(recorder: StereoRecorder, begin: float, end: float, byte: bytes = CALLEE) -> None:
    for frame in range(round((end - begin) * 50)):
        recorder.callee(byte * 160, BEGAN + begin + (frame + 1) * 0.02)


def test_both_sides_lie_where_they_were_heard() -> None:
    sink = Sink()
    recorder = StereoRecorder(sink, BEGAN)
    callee_talks(recorder, 0, 2)
    recorder.agent(AGENT * 800, BEGAN + 2.0)
    recorder.agent(AGENT * 800, BEGAN + 2.1)
    callee_talks(recorder, 2, 4)
    recorder.close(BEGAN + 4.0)
    assert sink.callee == CALLEE * 32000
    assert sink.agent == SILENCE * 16000 + AGENT * 1600 + SILENCE * (32000 - 17600)


def test_what_was_never_heard_is_taken_back() -> None:
    sink = Sink()
    recorder = StereoRecorder(sink, BEGAN)
    callee_talks(recorder, 0, 1)
    recorder.agent(AGENT * 800, BEGAN + 1.0)
    recorder.cut_agent(BEGAN + 1.04)
    callee_talks(recorder, 1, 2)
    recorder.close(BEGAN + 2.0)
    assert sink.agent.count(AGENT) == 320


def test_a_gap_of_the_callee_becomes_silence_and_what_follows_keeps_its_place() -> None:
    sink = Sink()
    recorder = StereoRecorder(sink, BEGAN)
    callee_talks(recorder, 0, 1)
    callee_talks(recorder, 4, 5, byte=b"\x31")
    recorder.close(BEGAN + 5.0)
    assert sink.callee == CALLEE * 8000 + SILENCE * 24000 + b"\x31" * 8000


def test_jitter_moves_nothing() -> None:
    sink = Sink()
    recorder = StereoRecorder(sink, BEGAN)
    callee_talks(recorder, 0, 1)
    for _ in range(20):
        recorder.callee(b"\x31" * 160, BEGAN + 1.4)
    callee_talks(recorder, 1.4, 3, byte=b"\x32")
    recorder.close(BEGAN + 3.0)
    assert sink.callee == CALLEE * 8000 + b"\x31" * 3200 + b"\x32" * 12800


def test_a_flood_of_callee_audio_is_dropped_not_piled_up() -> None:
    sink = Sink()
    recorder = StereoRecorder(sink, BEGAN)
    for _ in range(500):
        recorder.callee(CALLEE * 160, BEGAN + 0.1)
    recorder.close(BEGAN + 0.1)
    assert len(sink.callee) <= 8000
    assert recorder.dropped_bytes > 0


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 800), st.booleans()), max_size=30))
def test_both_sides_always_have_the_same_length_and_little_is_held(steps: list[tuple[float, int, bool]]) -> None:
    sink = Sink()
    recorder = StereoRecorder(sink, BEGAN)
    now = plays_at = BEGAN
    for wait_s, size, is_agent in steps:
        now += wait_s
        if is_agent:
            plays_at = max(plays_at, now)
            recorder.agent(AGENT * size, plays_at)
            plays_at += size / 8000
        else:
            recorder.callee(CALLEE * size, now)
        assert plays_at - now > 0.1 or (now - BEGAN) * 8000 - len(sink.callee) <= 3 * CHUNK_BYTES
    recorder.close(now)
    assert len(sink.callee) == len(sink.agent)
    assert len(sink.callee) >= int((now - BEGAN) * 8000)
    assert all(size == CHUNK_BYTES for size in sink.sizes[:-1])


def record(path: Path, disk: RecordingDisk, seconds: int) -> Path | None:
    async def play() -> Path | None:
        file = disk.open(path)
        for second in range(seconds):
            file.write(second * 8000, CALLEE * 8000, AGENT * 8000)
        return await file.close()

    return run_virtual(play)


def test_a_closed_recording_is_a_stereo_wav_with_the_callee_left(tmp_path: Path) -> None:
    path = record(tmp_path / "deep" / "call.wav", RecordingDisk(InlineExecutor()), 3)
    assert path is not None
    with wave.open(str(path)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (2, 2, 8000)
        assert wav.getnframes() == 24000
        frame = wav.readframes(1)
    assert frame == decode(CALLEE) + decode(AGENT)


def test_a_recording_whose_writer_was_killed_can_be_repaired(tmp_path: Path) -> None:
    path, copy = tmp_path / "call.wav", tmp_path / "killed.wav"

    async def play() -> None:
        file = RecordingDisk(InlineExecutor()).open(path)
        file.write(0, CALLEE * 8000, AGENT * 8000)
        shutil.copy(path, copy)
        await file.close()

    run_virtual(play)
    with copy.open("ab") as torn:
        torn.write(b"\x01\x02\x03")
    assert repair(copy) == 1.0
    assert copy.read_bytes() == path.read_bytes()


def test_only_our_own_recordings_are_repaired(tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(b"not a recording at all, but long enough to look at")
    with pytest.raises(ValueError, match="not a recording"):
        repair(other)


def test_a_disk_that_cannot_be_written_costs_the_recording_not_the_call(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert record(blocked / "call.wav", RecordingDisk(InlineExecutor()), 2) is None


class StuckExecutor(Executor):
    """A disk that does not answer until released."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self.waiting.append(lambda: future.set_result(fn(*args, **kwargs)))
        return future

    def release(self) -> None:
        waiting, self.waiting = self.waiting, []
        for run in waiting:
            run()


def test_a_stuck_disk_leaves_holes_and_keeps_the_alignment(tmp_path: Path) -> None:
    executor = StuckExecutor()

    async def play() -> int:
        file = RecordingDisk(executor).open(tmp_path / "call.wav")
        for second in range(MAX_WAITING_CHUNKS + 5):
            file.write(second * 8000, CALLEE * 8000, AGENT * 8000)
        executor.release()
        file.write((MAX_WAITING_CHUNKS + 5) * 8000, CALLEE * 8000, AGENT * 8000)
        asyncio.get_running_loop().call_later(1, executor.release)
        assert await file.close() is not None
        return file.lost_chunks

    assert run_virtual(play) == 5
    data = (tmp_path / "call.wav").read_bytes()[HEADER_BYTES:]
    second = 8000 * 4
    assert len(data) == (MAX_WAITING_CHUNKS + 6) * second
    assert data[MAX_WAITING_CHUNKS * second : -second] == bytes(5 * second)
    assert data[-second:] == data[:second]


def test_the_header_of_a_growing_file_claims_all_there_may_be() -> None:
    assert len(header(None)) == HEADER_BYTES
    assert header(None)[40:] == b"\xff\xff\xff\xff"
