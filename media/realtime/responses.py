"""Who may ask for the next response: one at a time, whoever asked. No I/O.

    idle ── ask ──► asked ── created ──► active ── done ──► idle
                      └── rejected: one is active already ──► waits for that one's done

The server's voice detection starts responses too, so a request can lose the race; the server then answers with
`conversation_already_has_active_response` and the request waits. Requests wait in order; the oldest beyond the bound is
dropped, for nobody needs a prompt from four responses ago.
"""

from collections import deque
from dataclasses import dataclass

WAITING_MAX = 4


@dataclass(frozen=True, slots=True)
class Ask:
    """One response to ask for; `response` overrides the session, None asks for a plain one."""

    response: dict[str, object] | None


class ResponseTurns:
    """The state of responses in one session."""

    __slots__ = ("_active", "_asked", "_last", "_waiting")

    def __init__(self) -> None:
        self._active: str | None = None
        self._asked = False
        self._last: tuple[str, Ask] | None = None
        self._waiting: deque[Ask] = deque(maxlen=WAITING_MAX)

    @property
    def is_owed(self) -> bool:
        """Whether the server owes us the start or the end of a response."""
        return self._asked or self._active is not None

    def want(self, ask: Ask) -> None:
        """Line up a request."""
        self._waiting.append(ask)

    def take(self, event_id: str) -> Ask | None:
        """Take the next request, to be sent under the event id; None when it must wait, or there is none."""
        if self.is_owed or not self._waiting:
            return None
        ask = self._waiting.popleft()
        self._asked, self._last = True, (event_id, ask)
        return ask

    def created(self, response_id: str) -> None:
        """Note that a response began, ours or the server's own."""
        self._active, self._asked = response_id, False

    def done(self, response_id: str) -> None:
        """Note that a response ended."""
        if self._active in (response_id, None):
            self._active = None

    def rejected(self, event_id: str | None, *, busy: bool) -> bool:
        """Note that an event was refused; `busy`: another response is active. True when it was the last request.

        A busy rejection without an event id can only be about the last request.
        """
        if self._last is None or (event_id != self._last[0] and not (busy and event_id is None)):
            return False
        ask = self._last[1]
        self._asked, self._last = False, None
        if busy:
            self._waiting.appendleft(ask)
        return True
