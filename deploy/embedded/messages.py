"""What a program and its guard process say to each other: single JSON objects, one a line.

Decides the encoding and how fields are read out of a decoded object; knows no particular message.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from deploy.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Mapping

Message: TypeAlias = dict[str, object]


def text_in(message: Mapping[str, object], key: str) -> str:
    """Return the text under `key`.

    Raises:
        EmbeddedError: the message carries no text there.
    """
    value = message.get(key)
    if not isinstance(value, str):
        raise EmbeddedError(f"message without text {key!r}")
    return value


def number_in(message: Mapping[str, object], key: str) -> int:
    """Return the whole number under `key`.

    Raises:
        EmbeddedError: the message carries no whole number there.
    """
    value = message.get(key)
    if not isinstance(value, int):
        raise EmbeddedError(f"message without number {key!r}")
    return value


class LineCutter:
    """Cut a byte stream into messages."""

    def __init__(self) -> None:
        """Begin with an empty rest."""
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Message]:
        """Return the messages that `chunk` completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [_decoded(line) for line in lines]


def _decoded(line: bytes) -> Message:
    message: object = json.loads(line)
    if not isinstance(message, dict):
        raise EmbeddedError("message is no JSON object")
    return {str(key): value for key, value in message.items()}


def encoded(message: Mapping[str, object]) -> bytes:
    """Return the line that carries `message`."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
