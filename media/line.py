"""The outbound audio of one call: what the agent says next, and how much of it was heard.

Owned by the session. Keeps utterances before and during the call, sends whole frames at the pace clock's beat with a
lead of at most 100 ms, mixes in background sound, asks the carrier for a mark at each utterance's end, and drops
everything at once on an interruption. Knows neither provider nor conversation.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import structlog

from media.audio.ambience import Ambience
from media.audio.frames import FrameBuffer
from media.audio.pace import PERIOD_S, PaceClock
from media.audio.recorder import StereoRecorder
from media.clock import Clock
from media.conversation.playout import BYTES_PER_S, Playout
from media.ports import Leg

log = structlog.get_logger()

SPEECH_LEAD_S = 0.1
"""Most agent speech the carrier holds unplayed."""
AMBIENCE_LEAD_S = 0.06
"""Most background sound alone it holds; less, so that speech that begins is heard soon. Sent two frames at a time."""
MARK_GRACE_S = 1.0
"""How long after its computed end an utterance waits for the carrier's mark before it counts as played."""
MAX_UTTERANCE_BYTES = 180 * BYTES_PER_S
"""Most audio of one utterance that waits to be sent; what comes beyond is dropped and counted."""
REMEMBERED_NAMES = 64

_SPEECH_REFILL_S = SPEECH_LEAD_S - PERIOD_S
_AMBIENCE_REFILL_S = AMBIENCE_LEAD_S - 2 * PERIOD_S
_ROUNDING_S = 1e-6


class LineListener(Protocol):
    """Who wants to know how utterances fare. Called on the loop; must not block."""

    def utterance_began(self, utterance: str, sent_at: float, heard_at: float) -> None:
        """The first frame of the utterance went on the wire; the callee hears it a moment later."""

    def utterance_played(self, utterance: str, at: float) -> None:
        """The callee has heard all of the utterance."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An utterance that was interrupted: how much was heard of how much there was; `complete` when all was received."""

    utterance: str
    heard_ms: int
    received_ms: int
    complete: bool


class _Utterance:
    """One utterance on its way: audio not yet sent, and its account."""

    __slots__ = ("account", "frames", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.account = Playout()
        self.frames = FrameBuffer(MAX_UTTERANCE_BYTES)


class Line:
    """Outbound audio of one call, mono mu-law 8000 Hz. Use on the event loop only.

    Attributes:
        listener: told of utterances beginning and ending; set once the conversation starts.
    """

    def __init__(self, pace: PaceClock, clock: Clock, ambience: Ambience | None = None) -> None:
        self.listener: LineListener | None = None
        self._pace = pace
        self._clock = clock
        self._ambience = ambience
        self._leg: Leg | None = None
        self._recorder: StereoRecorder | None = None
        self._left = False
        self._ends_at = 0.0
        self._waiting: deque[_Utterance] = deque()
        self._unconfirmed: deque[_Utterance] = deque()
        self._over: deque[str] = deque(maxlen=REMEMBERED_NAMES)
        self._drained: list[asyncio.Future[None]] = []

    @property
    def idle(self) -> bool:
        """Whether all the agent said has been played."""
        return not self._waiting and not self._unconfirmed

    def join(self, leg: Leg, recorder: StereoRecorder | None) -> None:
        """Begin to send: what was said so far goes out from now on."""
        self._leg = leg
        self._recorder = recorder
        self._pace.add(self)
        self.tick(self._clock.now())

    def leave(self) -> tuple[Cut, ...]:
        """Send nothing any more; return what was never heard to its end, oldest first."""
        self._pace.remove(self)
        self._leg = None
        self._left = True
        return self._cut_all(self._clock.now())

    def play(self, utterance: str, audio: bytes) -> None:
        """Queue audio of an utterance; audio of one that was interrupted is dropped."""
        spoken = self._find(utterance)
        if spoken is None:
            if not audio or self._left or utterance in self._over:
                return
            spoken = _Utterance(utterance)
            self._waiting.append(spoken)
        spoken.account.received(spoken.frames.append(audio))
        if self._leg is not None:
            self.tick(self._clock.now())

    def finish(self, utterance: str) -> None:
        """No more audio of the utterance will come; its last frame is filled with silence."""
        spoken = self._find(utterance)
        if spoken is not None:
            spoken.account.complete = True
            spoken.frames.pad()
            if spoken.frames.dropped_bytes:
                log.warning("agent_audio_dropped", dropped_bytes=spoken.frames.dropped_bytes)
            if self._leg is not None:
                self.tick(self._clock.now())

    def interrupt(self) -> tuple[Cut, ...]:
        """Silence the line at once, here and at the carrier; return what was cut off, oldest first."""
        if self.idle:
            return ()
        now = self._clock.now()
        cuts = self._cut_all(now)
        self._ends_at = min(self._ends_at, now)
        if self._leg is not None:
            self._leg.clear()
        return cuts

    def mark_played(self, name: str) -> None:
        """The carrier has played everything up to the end of the utterance; unknown marks are ignored."""
        if any(spoken.name == name for spoken in self._unconfirmed):
            while self._close_first().name != name:
                pass
            self._tell_if_idle()

    async def drained(self) -> None:
        """Wait until all the agent said has been played or dropped."""
        if not self.idle:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._drained.append(waiter)
            await waiter

    def tick(self, now: float) -> None:
        """Send what is due at the instant; called at every beat and whenever audio arrives."""
        if self._unconfirmed and now > self._unconfirmed[0].account.ends_at + MARK_GRACE_S:
            self._close_first()
            self._tell_if_idle()
        leg = self._leg
        if leg is None:
            return
        if self._waiting and self._ends_at - now <= _SPEECH_REFILL_S:
            self._send_speech(leg, now)
        if self._ambience is not None and self._ends_at - now <= _AMBIENCE_REFILL_S:
            frames = int((AMBIENCE_LEAD_S - max(0.0, self._ends_at - now)) / PERIOD_S + _ROUNDING_S)
            self._send(leg, self._ambience.alone(frames), now)

    def _send_speech(self, leg: Leg, now: float) -> None:
        while self._waiting:
            spoken = self._waiting[0]
            frames = int((SPEECH_LEAD_S - max(0.0, self._ends_at - now)) / PERIOD_S + _ROUNDING_S)
            audio = spoken.frames.take(frames)
            if audio:
                first, heard_at = spoken.account.first_sent_at is None, max(self._ends_at, now)
                self._send(leg, audio if self._ambience is None else self._ambience.under(audio), now)
                spoken.account.sent(len(audio), now=now, ends_at=self._ends_at)
                if first and self.listener is not None:
                    self.listener.utterance_began(spoken.name, now, heard_at)
            if not spoken.account.complete or len(spoken.frames):
                return
            self._waiting.popleft()
            self._unconfirmed.append(spoken)
            leg.send_mark(spoken.name)

    def _send(self, leg: Leg, audio: bytes, now: float) -> None:
        begins_at = max(self._ends_at, now)
        leg.send_audio(audio)
        if self._recorder is not None:
            self._recorder.agent(audio, begins_at)
        self._ends_at = begins_at + len(audio) / BYTES_PER_S

    def _cut_all(self, now: float) -> tuple[Cut, ...]:
        if self._recorder is not None:
            self._recorder.cut_agent(now)
        cuts = []
        while self._unconfirmed or self._waiting:
            spoken = self._unconfirmed[0] if self._unconfirmed else self._waiting[0]
            account = spoken.account
            if self._unconfirmed and account.fully_heard(now):
                self._close_first()
                continue
            (self._unconfirmed or self._waiting).popleft()
            account.interrupt(now)
            self._over.append(spoken.name)
            cuts.append(Cut(spoken.name, account.heard_ms(now), account.received_ms, account.complete))
        self._tell_if_idle()
        return tuple(cuts)

    def _find(self, utterance: str) -> _Utterance | None:
        for spoken in self._waiting:
            if spoken.name == utterance:
                return spoken
        return None

    def _close_first(self) -> _Utterance:
        spoken = self._unconfirmed.popleft()
        spoken.account.confirm()
        self._over.append(spoken.name)
        if self.listener is not None:
            self.listener.utterance_played(spoken.name, min(spoken.account.ends_at, self._clock.now()))
        return spoken

    def _tell_if_idle(self) -> None:
        if self.idle:
            waiters, self._drained = self._drained, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
