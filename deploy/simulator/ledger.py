"""What really happened on the simulated telephone network, against which every claim of the other side is judged.

Holds all dial requests and all calls; instants are unix seconds, offsets inside a call are ms since the answer. Dials,
and calls once ended, are also appended to JSON lines files, so that they survive this process.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from deploy.simulator.voice import Decoder, text_of

_UTTERANCE_GAP_MS: Final = 500


@dataclass(slots=True)
class Dial:
    """One request to place a call, whether it was honoured or not."""

    to: str
    from_number: str
    at: float
    sid: str | None
    answer: str


@dataclass(slots=True)
class Said:
    """Something the callee said: the whole line, and how much of it really sounded."""

    at_ms: int
    text: str
    spoken: str


@dataclass(slots=True)
class Heard:
    """A stretch of the agent's speech as it sounded in the callee's ear."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(slots=True)
class CallbackSent:
    """One status callback: what it said, when, and the receiver's answer (0 = none)."""

    status: str
    at: float
    http_status: int


@dataclass(slots=True)
class CallTruth:
    """Everything known about one call."""

    sid: str
    to: str
    from_number: str
    person: str
    created_at: float
    status: str = "queued"
    updated_at: float = 0.0
    started_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    ended_by: str | None = None
    sip_code: int | None = None
    answered_by: str | None = None
    send_digits: str = ""
    stream_sid: str | None = None
    stream_url: str | None = None
    stream_parameters: dict[str, str] = field(default_factory=dict)
    stream_connected_ms: int | None = None
    stream_error: str | None = None
    twiml_error: str | None = None
    said: list[Said] = field(default_factory=list)
    clears_ms: list[int] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    digits_sent: str = ""
    transferred_to: str | None = None
    frames_received: int = 0
    played_ms: int = 0
    cleared_ms: int = 0
    callbacks: list[CallbackSent] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether the call has not ended."""
        return self.ended_at is None

    @property
    def duration_s(self) -> int:
        """Talking time in whole seconds, rounded up as the carrier bills it; 0 when never answered."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(0, -int(-(self.ended_at - self.answered_at) // 1))

    def hear(self, decoder: Decoder) -> None:
        """Write down what the callee's ear has heard so far."""
        stretches: list[list[Any]] = []
        for symbol in decoder.symbols:
            if not stretches or symbol.start_ms - stretches[-1][-1].end_ms >= _UTTERANCE_GAP_MS:
                stretches.append([])
            stretches[-1].append(symbol)
        self.heard = [Heard(each[0].start_ms, each[-1].end_ms, text_of(each)) for each in stretches]

    def view(self) -> dict[str, Any]:
        """Return the call as the control interface shows it."""
        heard_text = " ".join(each.text for each in self.heard)
        return asdict(self) | {"duration_s": self.duration_s, "live": self.live, "heard_text": heard_text}


class Ledger:
    """All dials and calls of the world, in order."""

    def __init__(self, log_dir: Path | None) -> None:
        self.dials: list[Dial] = []
        self.calls: dict[str, CallTruth] = {}
        self._log_dir = log_dir
        if log_dir is not None:
            log_dir.mkdir(parents=True, exist_ok=True)

    def dialled(self, dial: Dial) -> None:
        """Record a dial request, durably, before anything is answered."""
        self.dials.append(dial)
        self.append("dials", dial_view(dial))

    def ended(self, call: CallTruth) -> None:
        """Append an ended call to its log."""
        self.append("calls", call.view())

    def append(self, name: str, record: Mapping[str, object]) -> None:
        """Append one JSON line to a log file, when the world keeps logs."""
        if self._log_dir is not None:
            with (self._log_dir / f"{name}.jsonl").open("ab") as file:
                file.write(orjson.dumps(record) + b"\n")

    def clear(self) -> None:
        """Forget everything in memory; log files stay."""
        self.dials.clear()
        self.calls.clear()


def dial_view(dial: Dial) -> dict[str, object]:
    """Return a dial as the control interface and the log show it."""
    return {"to": dial.to, "from": dial.from_number, "at": dial.at, "sid": dial.sid, "answer": dial.answer}
