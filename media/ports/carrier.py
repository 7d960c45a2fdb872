"""What a telephone company promises: its control side, its media socket of one call, and who hears from that.

Audio is mono mu-law, 8000 Hz; a frame is 20 ms = 160 bytes.
"""

from dataclasses import dataclass
from typing import Protocol

from schema.outcomes import AnsweredBy, Outcome


@dataclass(frozen=True, slots=True)
class DialRequest:
    """One request to the carrier. URLs are this worker's own; `time_limit_s` is the carrier's hard stop."""

    call_id: str
    to: str
    from_: str
    stream_url: str
    status_url: str
    ring_timeout_s: int
    time_limit_s: int
    detect_machine: bool


@dataclass(frozen=True, slots=True)
class CarrierRinging:
    """The callee's phone rings."""


@dataclass(frozen=True, slots=True)
class CarrierAnswered:
    """Somebody or something picked up."""


@dataclass(frozen=True, slots=True)
class CarrierMachineResult:
    """What the carrier's machine detection concluded."""

    answered_by: AnsweredBy


@dataclass(frozen=True, slots=True)
class CarrierEnded:
    """The carrier's final word. `outcome` is None for an answered call that completed; `talked_s` its duration."""

    outcome: Outcome | None
    talked_s: float
    detail: str


CarrierEvent = CarrierRinging | CarrierAnswered | CarrierMachineResult | CarrierEnded


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """A call as the carrier's own records show it."""

    provider_call_id: str
    live: bool
    outcome: Outcome | None
    talked_s: float


class Carrier(Protocol):
    """A telephone company's control side.

    Raises everywhere: `media.errors.CarrierError` kinds; `dial` raises `DialUnknown` when the request may have been
    carried out, `CarrierRefusal` when it was proved refused.
    """

    async def dial(self, request: DialRequest) -> str:
        """Ask the carrier to place the call; answer with the carrier's id of it."""

    async def hang_up(self, provider_call_id: str) -> None:
        """End or cancel the call; an already ended one is no error."""

    async def find(self, to: str, from_: str, since_s: float, known: frozenset[str]) -> CarrierCall | None:
        """Look for our call by numbers among those created within a minute of the unix instant, apart from `known`."""

    async def look_up(self, provider_call_id: str) -> CarrierCall | None:
        """Read one call by the carrier's id."""


class Leg(Protocol):
    """The carrier's media socket of one call, once it has joined. Sends never block: the socket buffer is bounded."""

    @property
    def provider_call_id(self) -> str:
        """The carrier's id of the call, as the socket's first frames name it."""

    def send_audio(self, audio: bytes) -> None:
        """Send agent audio, a whole number of frames."""

    def send_mark(self, name: str) -> None:
        """Ask to be told when everything sent so far has been played."""

    def clear(self) -> None:
        """Drop what the carrier has buffered but not played."""

    async def close(self) -> None:
        """Close the socket, which ends the call at the carrier."""


class LegSink(Protocol):
    """Who hears from the leg; called on the event loop, must not block."""

    def leg_joined(self, leg: Leg) -> None:
        """The socket is up and audio may flow."""

    def callee_audio(self, audio: bytes) -> None:
        """Callee audio, normally one frame."""

    def mark_played(self, name: str) -> None:
        """Everything before the mark has been played, or was cleared."""

    def digit_pressed(self, digit: str) -> None:
        """The callee pressed a key."""

    def leg_left(self, *, broke: bool = False) -> None:
        """The socket is gone; it `broke` when the carrier did not say before that the stream is over."""
