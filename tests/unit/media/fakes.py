"""A carrier and its media socket, in memory and on virtual time; they remember what they were asked and when."""

import asyncio
from dataclasses import dataclass, field

from media.errors import CarrierError
from media.inbox import CallInbox
from media.ports import CarrierCall, DialRequest

BYTES_PER_S = 8000
SPEECH = b"\x10"


def now() -> float:
    return asyncio.get_running_loop().time()


def speech(ms: int, byte: bytes = SPEECH) -> bytes:
    return byte * (8 * ms)


class FakeLeg:
    """A carrier that plays what it gets in real time and returns marks when their audio was played."""

    def __init__(self, inbox: CallInbox, *, returns_marks: bool = True) -> None:
        self.inbox = inbox
        self.provider_call_id = "CA1"
        self.sent: list[tuple[float, bytes]] = []
        self.cleared_at: list[float] = []
        self.closed = False
        self.buffered_until = 0.0
        self.most_buffered_s = 0.0
        self._returns_marks = returns_marks
        self._marks: dict[str, asyncio.TimerHandle] = {}

    def send_audio(self, audio: bytes) -> None:
        assert audio
        assert len(audio) % 160 == 0
        assert not self.closed
        self.sent.append((max(self.buffered_until, now()), audio))
        self.buffered_until = max(self.buffered_until, now()) + len(audio) / BYTES_PER_S
        self.most_buffered_s = max(self.most_buffered_s, self.buffered_until - now())

    def send_mark(self, name: str) -> None:
        if self._returns_marks:
            self._marks[name] = asyncio.get_running_loop().call_at(self.buffered_until, self._return, name)

    def clear(self) -> None:
        self.cleared_at.append(round(now(), 3))
        self.buffered_until = min(self.buffered_until, now())
        for name, timer in list(self._marks.items()):
            timer.cancel()
            self._return(name)

    async def close(self) -> None:
        self.closed = True
        asyncio.get_running_loop().call_soon(self.inbox.leg_left)

    def audio_sent(self) -> bytes:
        return b"".join(audio for _, audio in self.sent)

    def _return(self, name: str) -> None:
        del self._marks[name]
        self.inbox.mark_played(name)


@dataclass
class FakeCarrier:
    """Answers dial requests as told; the script makes the rest happen."""

    dial_error: CarrierError | None = None
    dial_takes_s: float = 0.3
    hang_up_errors: list[CarrierError] = field(default_factory=list)
    found: CarrierCall | None = None
    dialled: list[DialRequest] = field(default_factory=list)
    hung_up_at: list[float] = field(default_factory=list)
    looked_up: int = 0

    async def dial(self, request: DialRequest) -> str:
        self.dialled.append(request)
        await asyncio.sleep(self.dial_takes_s)
        if self.dial_error is not None:
            raise self.dial_error
        return "CA1"

    async def hang_up(self, provider_call_id: str) -> None:
        assert provider_call_id == "CA1"
        if self.hang_up_errors:
            raise self.hang_up_errors.pop()
        self.hung_up_at.append(round(now(), 3))

    async def find(self, to: str, from_: str, since_s: float, known: frozenset[str]) -> CarrierCall | None:
        return self.found

    async def look_up(self, provider_call_id: str) -> CarrierCall | None:
        self.looked_up += 1
        return self.found
