"""Show what processes write to their logs, each line under the name of its process.

Reads the files a few times a second instead of standing between a process and its log, so a terminal that is held up
holds up nobody else. Knows nothing of processes beyond their names.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_LOOK_EVERY_S = 0.1


@dataclass(slots=True)
class _Followed:
    path: Path
    position: int
    rest: bytes = b""

    def new_lines(self) -> list[str]:
        """Return the complete lines written since the last look; a log set aside is begun anew."""
        try:
            size = self.path.stat().st_size
            if size < self.position:
                self.position = 0
            with self.path.open("rb") as file:
                file.seek(self.position)
                chunk = file.read()
        except OSError:
            return []
        self.position += len(chunk)
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


class LogEcho:
    """Print new log lines to standard output on a thread of its own, from entering to leaving the context."""

    def __init__(self, log_dir: Path, names: Iterable[str], *, enabled: bool = True) -> None:
        """Begin at the present end of every log."""
        paths = {name: log_dir / f"{name}.log" for name in names} if enabled else {}
        self._logs = {name: _Followed(path, _size(path)) for name, path in paths.items()}
        self._width = max((len(name) for name in self._logs), default=0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="echo", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        # A reader that has gone away (`| head`) ends the echo, not the processes.
        with contextlib.suppress(BrokenPipeError):
            while not self._over.wait(_LOOK_EVERY_S):
                self._print_news()
            self._print_news()

    def _print_news(self) -> None:
        for name, log in self._logs.items():
            for line in log.new_lines():
                sys.stdout.write(f"{name:<{self._width}} | {line}\n")
        sys.stdout.flush()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
