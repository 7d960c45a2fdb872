"""The joints of one live call: what a carrier, a speech provider and a pipeline promise each other.

Per vendor there is a codec without I/O and a thin shell that keeps one of these promises; `pipelines/build.py` alone
names vendors. Audio everywhere here is mono mu-law, 8000 Hz; a frame is 20 ms = 160 bytes.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from schema.outcomes import AnsweredBy, Outcome

FRAME_BYTES = 160
FRAME_MS = 20
BYTES_PER_MS = 8


# Carrier


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
        """Look for our call by numbers among those the carrier created since the unix instant, apart from `known`."""

    async def look_up(self, provider_call_id: str) -> CarrierCall | None:
        """Read one call by the carrier's id."""


class Leg(Protocol):
    """The carrier's media socket of one call, once it has joined. Sends never block: the socket buffer is bounded."""

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

    def leg_left(self) -> None:
        """The socket is gone."""


# Speech to text


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The provider heard the callee begin to speak."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript of the callee's current utterance; `final` segments do not change any more."""

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The provider takes the callee's turn as over."""


SttEvent = SpeechStarted | Heard | SpeechEnded


class SpeechToText(Protocol):
    """A streaming recogniser of one call."""

    async def open(self) -> None:
        """Connect and authenticate. Raises ProviderError."""

    def send_audio(self, audio: bytes) -> None:
        """Queue callee audio; bounded, oldest dropped and counted when the provider is slow."""

    def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was recognised until closed. Raises ProviderError when the provider fails."""

    async def close(self) -> None:
        """End the stream gracefully, within a second."""


# Language model


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool the model may call; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The model asks for a tool."""

    id: str
    name: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the reply."""

    text: str


ReplyEvent = TextDelta | ToolRequest


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the conversation for the model: role system | user | assistant | tool."""

    role: str
    text: str
    tool_requests: tuple[ToolRequest, ...] = ()
    tool_id: str | None = None


class LanguageModel(Protocol):
    """A chat model that streams. Closing the iterator cancels generation."""

    def reply(self, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]) -> AsyncIterator[ReplyEvent]:
        """Stream the next reply. Raises ProviderError (auth, timeout of the first token, closed, error)."""


# Text to speech


class TextToSpeech(Protocol):
    """A streaming voice. One utterance (agent turn) at a time; `speak` may be called many times for one."""

    async def open(self) -> None:
        """Connect and authenticate. Raises ProviderError."""

    async def speak(self, text: str) -> None:
        """Queue one sentence of the current utterance."""

    async def finish(self) -> None:
        """The utterance is complete: flush."""

    async def cancel(self) -> None:
        """Forget the current utterance; none of its audio is yielded afterwards."""

    def audio(self) -> AsyncIterator[bytes | None]:
        """Yield mu-law audio as it arrives, and None at the end of each utterance. Raises ProviderError."""

    async def close(self) -> None:
        """End the stream gracefully, within a second."""


# Speech to speech


@dataclass(frozen=True, slots=True)
class RtSpeechStarted:
    """Server VAD heard the callee begin."""


@dataclass(frozen=True, slots=True)
class RtSpeechStopped:
    """Server VAD heard the callee end."""


@dataclass(frozen=True, slots=True)
class RtCalleeText:
    """Transcript of a callee turn; `item_id` orders it."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RtAudio:
    """Agent audio of an item, mu-law."""

    item_id: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class RtAgentText:
    """More text of what the item says."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RtItemDone:
    """All audio and text of the item has been received."""

    item_id: str


@dataclass(frozen=True, slots=True)
class RtCommitted:
    """The callee's turn became a conversation item."""

    item_id: str


@dataclass(frozen=True, slots=True)
class RtResponseDone:
    """A response is over; `status` completed | cancelled | failed | incomplete, with its tool requests."""

    status: str
    tool_requests: tuple[ToolRequest, ...]
    detail: str = ""


RtEvent = (
    RtSpeechStarted | RtSpeechStopped | RtCommitted | RtCalleeText | RtAudio | RtAgentText | RtItemDone | RtResponseDone
)


class RealtimeModel(Protocol):
    """A speech-to-speech session of one call."""

    async def open(self) -> None:
        """Connect, configure the session and wait until it is confirmed. Raises ProviderError."""

    def send_audio(self, audio: bytes) -> None:
        """Queue callee audio; bounded, oldest dropped and counted when the provider is slow."""

    async def greet(self, first_sentence: str | None) -> None:
        """Let the agent begin: say exactly the sentence, or open by itself when None."""

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Tell the model how much of the item was heard."""

    async def answer_tools(self, results: tuple[tuple[str, str], ...], *, respond: bool) -> None:
        """Give tool results as (request id, JSON text); ask for the next response when `respond`."""

    async def say(self, instructions: str) -> None:
        """Ask for one response following the instructions (goodbye, inactivity prompt)."""

    def events(self) -> AsyncIterator[RtEvent]:
        """Yield events until closed. Raises ProviderError when the provider fails."""

    async def close(self) -> None:
        """Close the session, within a second."""
