"""Which faults are armed and when one strikes: matched by vendor, place, phone number or text, and nth occurrence.

Decides nothing about how a fault looks on the wire; each vendor asks at its named places and acts it out. FAULTS is the
whole list of places and kinds.
"""

import itertools
from collections.abc import Iterator
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_SOCKET: Final = frozenset({"close", "half_open", "malformed", "reset"})
_REQUEST: Final = frozenset({"refuse", "delay", "drop", "half_open"})

FAULTS: Final[dict[tuple[str, str], frozenset[str]]] = {
    # `drop` of a create dials and then cuts the connection; `lost` cuts it without dialling.
    ("twilio", "create"): _REQUEST | {"lost"},
    ("twilio", "list"): _REQUEST,
    ("twilio", "fetch"): _REQUEST,
    ("twilio", "update"): _REQUEST,
    ("twilio", "callback"): frozenset({"lost", "delay", "duplicate", "reorder"}),
    ("twilio", "media"): _SOCKET | {"never"},
    ("openai_realtime", "connect"): frozenset({"refuse", "delay"}),
    ("openai_realtime", "session"): _SOCKET,
    ("openai_realtime", "response"): frozenset({"close", "stall", "fail", "multi_item", "late_delta", "delay"}),
    ("openai_chat", "request"): _REQUEST | {"stall", "malformed", "not_json"},
    ("deepgram_listen", "connect"): frozenset({"refuse", "delay"}),
    ("deepgram_listen", "session"): _SOCKET,
    ("deepgram_listen", "speech_final"): frozenset({"missing"}),
    ("deepgram_listen", "finalize"): frozenset({"silent"}),
    ("deepgram_speak", "connect"): frozenset({"refuse", "delay"}),
    ("deepgram_speak", "session"): _SOCKET,
    ("deepgram_speak", "flush"): frozenset({"close", "stall", "delay"}),
    ("deepgram_speak", "request"): _REQUEST,
}


class Fault(BaseModel):
    """One armed fault, as POST /sim/faults takes it.

    Attributes:
        vendor: with `at` and `kind`, a row of FAULTS.
        number: strikes only calls to a number that ends so.
        contains: strikes only where the subject holds this text: the call status of a callback, the body of a chat
            request, the query of a speech socket, the instructions of a realtime response.
        nth: the first matching occurrence that is struck, counted from arming.
        times: how many in a row are struck; 0 is all of them.
        status: HTTP status of a refusal.
        code: the vendor's own error code of a refusal.
        delay_ms: how long to wait.
        after_ms: how long after the socket opened, or after the first audio of a response.
        close_code: WebSocket close code.
        text: close reason, or the malformed frame.
    """

    model_config = ConfigDict(extra="forbid")

    vendor: str
    at: str
    kind: str
    number: str = ""
    contains: str = ""
    nth: int = Field(default=1, ge=1)
    times: int = Field(default=1, ge=0)
    status: int = Field(default=500, ge=400, le=599)
    code: int | str | None = None
    retry_after_s: int | None = None
    delay_ms: int = Field(default=1000, ge=0)
    after_ms: int = Field(default=0, ge=0)
    close_code: int = Field(default=1011, ge=1000, le=4999)
    text: str = ""

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        kinds = FAULTS.get((self.vendor, self.at))
        if kinds is None:
            places = ", ".join(sorted(f"{vendor}/{at}" for vendor, at in FAULTS))
            raise ValueError(f"no such place {self.vendor}/{self.at}; there are {places}")
        if self.kind not in kinds:
            raise ValueError(f"{self.vendor}/{self.at} knows {', '.join(sorted(kinds))}, not {self.kind}")
        return self


class ArmedFault:
    """A fault and how often its place was passed."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.id = f"fault-{number}"
        self.fault = fault
        self.seen = 0
        self.struck = 0

    def passes(self, number: str, subject: str) -> bool:
        """Count one occurrence and tell whether it is struck."""
        fault = self.fault
        if not number.endswith(fault.number) or fault.contains not in subject:
            return False
        self.seen += 1
        strikes = self.seen >= fault.nth and (fault.times == 0 or self.seen < fault.nth + fault.times)
        self.struck += strikes
        return strikes

    def view(self) -> dict[str, object]:
        """Return the fault as the control interface shows it."""
        return {"id": self.id, "seen": self.seen, "struck": self.struck, **self.fault.model_dump()}


class Faults:
    """All armed faults of the world."""

    def __init__(self) -> None:
        self._armed: list[ArmedFault] = []
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[ArmedFault]:
        return iter(self._armed)

    def arm(self, fault: Fault) -> ArmedFault:
        """Arm a fault; occurrences count from now."""
        armed = ArmedFault(next(self._numbers), fault)
        self._armed.append(armed)
        return armed

    def clear(self) -> None:
        """Disarm everything."""
        self._armed.clear()

    def take(self, vendor: str, at: str, *, number: str = "", subject: str = "") -> Fault | None:
        """Pass a place and return the fault that strikes there, if any; every matching fault counts the occurrence."""
        if not self._armed:
            return None
        here = [a for a in self._armed if a.fault.vendor == vendor and a.fault.at == at]
        struck = [armed.fault for armed in here if armed.passes(number, subject)]
        return struck[0] if struck else None
