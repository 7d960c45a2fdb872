"""Log files of started processes: opened for appending, set aside when large, shown by their end.

A process writes its log itself, through the descriptor it was started with, so neither a slow reader nor the death of
whoever started it holds it up.
"""

from __future__ import annotations

import os
from pathlib import Path

_LOG_KEPT_BYTES = 8 * 1024 * 1024
_TAIL_READ_BYTES = 64 * 1024
_PRIVATE_FILE = 0o600


def open_log(path: Path) -> int:
    """Open a log for appending and return its descriptor; a log that has grown large is set aside first.

    Raises:
        OSError: the file cannot be written, or is a symbolic link.
    """
    if path.exists() and path.stat().st_size > _LOG_KEPT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, _PRIVATE_FILE)


def tail(path: Path, *, offset: int = 0, lines: int = 20) -> str:
    """Return the last `lines` lines written to `path` after byte `offset`; empty when there is no log."""
    try:
        with path.open("rb") as file:
            file.seek(max(offset, path.stat().st_size - _TAIL_READ_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
