"""What the speech providers of the bench share: whose frame it is, when the callee speaks, how agent audio is paced."""

import asyncio
from binascii import b2a_base64
from collections.abc import Callable
from time import monotonic

from bench.outside.phones import Exchange, Phone, header

THINK_S = 0.1
PIECE_MS = 200
REPLY_PIECES = 15
"""A reply lasts 3 s, sent in pieces of 200 ms, ten times faster than real time."""
SPEEDUP = 10
PIECE = b"\x08\x88" * (PIECE_MS * 4)
"""Mono mu-law, 8000 Hz, near full scale, so that it is told from background sound also when mixed."""
PIECE_BASE64 = b2a_base64(PIECE, newline=False)
ONSET_FRAMES = 2


class Ear:
    """Follows one call's audio: which phone it is from, when its callee begins and ends to speak.

    Args:
        quiet_frames: silence that ends a turn.
        began: called when the callee begins.
        ended: called when the turn is over.
    """

    def __init__(
        self, exchange: Exchange, quiet_frames: int, began: Callable[[], None], ended: Callable[[], None]
    ) -> None:
        self.phone: Phone | None = None
        self._exchange = exchange
        self._quiet_frames = quiet_frames
        self._began = began
        self._ended = ended
        self._loud = 0
        self._quiet = 0
        self._speaking = False

    def hear(self, audio: bytes) -> None:
        """Take a frame of callee audio."""
        number, frame = header(audio)
        phone = self.phone
        if phone is None:
            phone = self.phone = self._exchange.phones[number]
        phone.heard.append((monotonic() - phone.sent_at[frame]) * 1000)
        if phone.is_loud(frame):
            self._loud, self._quiet = self._loud + 1, 0
            if self._loud == ONSET_FRAMES and not self._speaking:
                self._speaking = True
                self._began()
        else:
            self._loud, self._quiet = 0, self._quiet + 1
            if self._speaking and self._quiet == self._quiet_frames:
                self._speaking = False
                self._ended()

    def note_interruption(self) -> None:
        """The callee talks over the agent: from now on silence is awaited."""
        if self.phone is not None and self.phone.agent_sounds:
            self.phone.awaits_clear_since = monotonic()


class Mouth:
    """Sends one reply's audio piece by piece.

    Args:
        send: sends a piece; its number is given.
        done: called after the last one.
    """

    def __init__(self, phone: Phone | None, send: Callable[[int], None], done: Callable[[], None]) -> None:
        self._phone = phone
        self._send = send
        self._done = done
        self._at = 0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, after_s: float) -> None:
        """Start after the time."""
        self._timer = self._loop.call_later(after_s, self._piece)

    def stop(self) -> None:
        """Send no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _piece(self) -> None:
        if self._at == 0 and self._phone is not None and not self._phone.agent_sounds:
            self._phone.awaits_speech_since = monotonic()
        if self._at < REPLY_PIECES:
            self._send(self._at)
            self._at += 1
            self._timer = self._loop.call_later(PIECE_MS / 1000 / SPEEDUP, self._piece)
        else:
            self._timer = None
            self._done()
