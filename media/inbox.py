"""Everything that reaches one session from outside: the carrier's events, its media socket, requests to stop.

Control messages wait in a short queue that the session reads; callee audio and marks are handed on at once, without a
queue, to whoever the session attached. All methods are called on the event loop and never block.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from media.errors import CarrierError
from media.ports import CarrierEvent, Leg
from schema.outcomes import EndReason

MAX_WAITING = 64


@dataclass(frozen=True, slots=True)
class LegJoined:
    """The carrier's media socket is up."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class LegLeft:
    """The carrier's media socket is gone; `broke` when the carrier did not end it."""

    broke: bool


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Somebody wants the call to end now."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The callee pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class DialFailed:
    """The dial request was refused, or nobody knows what became of it."""

    error: CarrierError


@dataclass(frozen=True, slots=True)
class AgentOver:
    """The pipeline ended the conversation by itself."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class AgentFailed:
    """The pipeline cannot go on."""

    reason: EndReason
    detail: str


Mail = CarrierEvent | LegJoined | LegLeft | StopRequested | DigitPressed | DialFailed | AgentOver | AgentFailed


def _nobody(_: object) -> None:
    """Ignore what arrives before anybody listens."""


class CallInbox:
    """The letter box of one call; keeps the `LegSink` promise towards the carrier's socket.

    Attributes:
        on_audio: receives each frame of callee audio.
        on_mark: receives the name of each mark the carrier returned.
    """

    def __init__(self) -> None:
        self.on_audio: Callable[[bytes], object] = _nobody
        self.on_mark: Callable[[str], object] = _nobody
        self.dropped = 0
        self._mail: deque[Mail] = deque()
        self._arrived = asyncio.Event()

    def leg_joined(self, leg: Leg) -> None:
        """Take the media socket."""
        self.post(LegJoined(leg))

    def callee_audio(self, audio: bytes) -> None:
        """Hand on callee audio, mono mu-law, normally one frame."""
        self.on_audio(audio)

    def mark_played(self, name: str) -> None:
        """Hand on a returned mark."""
        self.on_mark(name)

    def digit_pressed(self, digit: str) -> None:
        """Take a key press."""
        self.post(DigitPressed(digit))

    def leg_left(self, *, broke: bool = False) -> None:
        """Note that the media socket is gone."""
        self.post(LegLeft(broke))

    def carrier_event(self, event: CarrierEvent) -> None:
        """Take a carrier's callback; duplicates and late ones are harmless."""
        self.post(event)

    def stop(self, reason: EndReason) -> None:
        """Ask the session to end now, for this reason."""
        self.post(StopRequested(reason))

    def post(self, mail: Mail) -> None:
        """Queue a control message; beyond 64 waiting ones repetitions are dropped and counted."""
        if len(self._mail) >= MAX_WAITING and mail in self._mail:
            self.dropped += 1
            return
        self._mail.append(mail)
        self._arrived.set()

    def detach(self) -> None:
        """Hand nothing on any more."""
        self.on_audio = self.on_mark = _nobody

    async def next(self, within_s: float | None) -> Mail | None:
        """Return the next message, or None when none came within the time."""
        if not self._mail:
            self._arrived.clear()
            try:
                async with asyncio.timeout(within_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        return self._mail.popleft()
