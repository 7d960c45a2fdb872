"""When the agent speaks up in a silence, and when the conversation is over.

A farewell is always heard to its end before the call ends, unless it takes too long. A farewell that time or silence
forced cannot be called off by the callee; one the agent chose can.
"""

from dataclasses import dataclass

from media.conversation.silence import SilenceStep, SilenceWatch
from schema.outcomes import EndReason

FAREWELL_LIMIT_S = 12.0
"""Longest time from deciding to end until the end, whatever the callee or the providers do."""
GOODBYE_PATIENCE_S = 4.0
"""How long a goodbye that time forces waits for a quiet moment."""


@dataclass(frozen=True, slots=True)
class AskWhetherThere:
    """Ask the silent callee whether anybody is there."""


@dataclass(frozen=True, slots=True)
class SayGoodbye:
    """Say goodbye for this reason."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class Over:
    """The conversation is over."""

    reason: EndReason


Step = AskWhetherThere | SayGoodbye | Over


@dataclass(frozen=True, slots=True)
class _Ending:
    reason: EndReason
    forced: bool
    until_at: float


class Course:
    """The course of one conversation from the answer on. All instants are monotonic seconds.

    Args:
        silence_s: silence that is tolerated before the agent asks, and again before it gives up.
    """

    def __init__(self, silence_s: float) -> None:
        self._silence = SilenceWatch(silence_s)
        self._ending: _Ending | None = None
        self._wanted: tuple[EndReason, float] | None = None

    @property
    def ending(self) -> bool:
        """Whether a farewell has been decided on."""
        return self._ending is not None

    @property
    def forced(self) -> bool:
        """Whether the farewell goes on even when the callee speaks."""
        return self._ending is not None and self._ending.forced

    def callee_active(self, at: float) -> None:
        """The callee has said something; noise does not count."""
        self._silence.callee_active(at)

    def want_end(self, reason: EndReason, now: float) -> None:
        """Ask for a goodbye at the next quiet moment, soon in any case."""
        self._wanted = (reason, now + GOODBYE_PATIENCE_S)

    def end_after_farewell(self, reason: EndReason, now: float) -> None:
        """The agent says, or has said, its farewell: end once it has been heard."""
        if self._ending is None:
            self._ending = _Ending(reason, forced=False, until_at=now + FAREWELL_LIMIT_S)

    def call_off(self) -> None:
        """The callee has more to say: a farewell that nothing forced is taken back."""
        if self._ending is not None and not self._ending.forced:
            self._ending = None

    def review(self, now: float, *, busy: bool) -> Step | None:
        """Return what is due; `busy` while anybody speaks or an answer is on its way."""
        if self._wanted is not None and self._ending is None and (not busy or now >= self._wanted[1]):
            return self._goodbye(self._wanted[0], now)
        if self._ending is not None:
            return Over(self._ending.reason) if not busy or now >= self._ending.until_at else None
        if busy:
            self._silence.busy()
            return None
        self._silence.quiet(now)
        step = self._silence.due(now)
        if step is SilenceStep.PROMPT:
            return AskWhetherThere()
        return self._goodbye(EndReason.INACTIVITY_TIMEOUT, now) if step is SilenceStep.GIVE_UP else None

    @property
    def deadline(self) -> float | None:
        """When the next review is due if nothing happens before."""
        if self._ending is not None:
            return self._ending.until_at
        return self._wanted[1] if self._wanted is not None else self._silence.deadline

    def _goodbye(self, reason: EndReason, now: float) -> SayGoodbye:
        self._wanted = None
        self._ending = _Ending(reason, forced=True, until_at=now + FAREWELL_LIMIT_S)
        return SayGoodbye(reason)
