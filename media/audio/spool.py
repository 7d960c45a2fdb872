"""Write recordings to disk from one thread of their own, so that a slow disk never holds up audio.

Each second goes to its own place in the file: one that is lost to a stuck disk stays a hole, which reads as silence,
and both sides keep their alignment. A killed process leaves a file that `wav.repair` mends.
"""

import asyncio
import os
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import structlog

from media.audio.mulaw import interleave
from media.audio.wav import BLOCK_BYTES, HEADER_BYTES, header

log = structlog.get_logger()

MAX_WAITING_CHUNKS = 20


class RecordingDisk:
    """The recording writer of a process.

    Args:
        executor: runs the writes one after another; a single thread unless given.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        self.executor = executor or ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")

    def open(self, path: Path) -> "RecordingFile":
        """Begin a recording at the path; faults show when it is closed."""
        return RecordingFile(self.executor, path)

    def stop(self) -> None:
        """Finish what waits and end the thread."""
        self.executor.shutdown()


class RecordingFile:
    """One stereo WAV on its way to disk; keeps the `RecordingSink` promise.

    Attributes:
        lost_chunks: seconds not written because the disk was too far behind.
    """

    def __init__(self, executor: Executor, path: Path) -> None:
        self.path = path
        self.lost_chunks = 0
        self._executor = executor
        self._asked = 0
        self._done = 0
        self._descriptor: int | None = None
        self._fault: OSError | None = None
        self._executor.submit(self._create)

    def write(self, position: int, callee: bytes, agent: bytes) -> None:
        """Queue equal lengths of both sides, mu-law, for the sample position."""
        if self._asked - self._done >= MAX_WAITING_CHUNKS:
            self.lost_chunks += 1
            return
        self._asked += 1
        self._executor.submit(self._put, position, callee, agent)

    async def close(self) -> Path | None:
        """Write what waits, fix the header; return the path, or None when the recording could not be written."""
        await asyncio.wrap_future(self._executor.submit(self._finish))
        if self._fault is not None:
            log.error("recording_failed", path=str(self.path), reason=str(self._fault))
            return None
        if self.lost_chunks:
            log.warning("recording_has_holes", path=str(self.path), lost_s=self.lost_chunks)
        return self.path

    def _create(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
            os.pwrite(self._descriptor, header(None), 0)
        except OSError as error:
            self._fault = error

    def _put(self, position: int, callee: bytes, agent: bytes) -> None:
        try:
            if self._descriptor is not None:
                os.pwrite(self._descriptor, interleave(callee, agent), HEADER_BYTES + position * BLOCK_BYTES)
        except OSError as error:
            self._fault = error
        self._done += 1

    def _finish(self) -> None:
        if self._descriptor is None:
            return
        try:
            size = os.fstat(self._descriptor).st_size
            os.pwrite(self._descriptor, header(max(0, size - HEADER_BYTES)), 0)
        except OSError as error:
            self._fault = error
        finally:
            os.close(self._descriptor)
            self._descriptor = None
