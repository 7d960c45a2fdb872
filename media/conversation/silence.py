"""When a quiet callee is spoken to, and when the call is given up.

Silence counts from the moment both sides are quiet. After the timeout the agent asks once whether anybody is there;
after the same time again without a word the call ends.
"""

from enum import StrEnum


class SilenceStep(StrEnum):
    """What is due: ask whether anybody is there, or give the call up."""

    PROMPT = "prompt"
    GIVE_UP = "give_up"


class SilenceWatch:
    """Counts silence on the line. All instants are monotonic seconds.

    Args:
        timeout_s: silence that is tolerated, each time.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._quiet_since: float | None = None
        self._prompted = False

    def callee_active(self, at: float) -> None:
        """The callee has said something."""
        self._prompted = False
        if self._quiet_since is not None:
            self._quiet_since = at

    def busy(self) -> None:
        """Somebody speaks or an answer is on its way: silence does not count."""
        self._quiet_since = None

    def quiet(self, at: float) -> None:
        """Both sides are quiet from now on, unless they already were."""
        if self._quiet_since is None:
            self._quiet_since = at

    @property
    def deadline(self) -> float | None:
        """When the next step is due, or None while the line is busy."""
        return None if self._quiet_since is None else self._quiet_since + self._timeout_s

    def due(self, now: float) -> SilenceStep | None:
        """Return the step that is due, once; the line is busy afterwards."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return None
        step = SilenceStep.GIVE_UP if self._prompted else SilenceStep.PROMPT
        self._prompted = True
        self._quiet_since = None
        return step
