"""What was said, in the order it was said, agent text cut to what was heard.

A turn has its place from the moment it begins or is committed; its words may come later. Times are monotonic seconds
and become milliseconds after the answer at the end. Knows no provider.
"""

from dataclasses import dataclass, field

from media.conversation.heard import heard_text
from schema.callspec import Turn

CALLEE = "callee"
AGENT = "agent"


@dataclass(slots=True)
class _Entry:
    speaker: str
    text: str = ""
    began_at: float | None = None
    ended_at: float | None = None
    interrupted: bool = False
    awaits_text: bool = False
    latency_ms: dict[str, int] = field(default_factory=dict)


class Transcript:
    """The turns of one call; keys are whatever the pipeline calls its items."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    @property
    def callee_spoke(self) -> bool:
        """Whether the callee said anything, be it written down or not."""
        return any(e.speaker == CALLEE and (e.text.strip() or e.awaits_text) for e in self._entries.values())

    @property
    def awaits_text(self) -> bool:
        """Whether the words of a callee turn are still to come."""
        return any(entry.awaits_text for entry in self._entries.values())

    def callee_turn(self, key: str, *, began_at: float, ended_at: float, text: str | None = None) -> None:
        """Give a callee turn its place; without text its words are still to come."""
        entry = self._entries.setdefault(key, _Entry(CALLEE))
        entry.began_at, entry.ended_at = began_at, ended_at
        entry.awaits_text = text is None and not entry.text
        entry.text = text if text is not None else entry.text

    def callee_text(self, key: str, text: str, *, at: float) -> None:
        """Set the words of a callee turn; a turn without a place yet gets the next one."""
        entry = self._entries.get(key)
        if entry is None:
            self.callee_turn(key, began_at=at, ended_at=at, text=text)
            return
        entry.text = text
        entry.awaits_text = False

    def agent_text(self, key: str, text: str) -> None:
        """Add to what the agent is saying; ignored once the turn was cut."""
        entry = self._entries.setdefault(key, _Entry(AGENT))
        if not entry.interrupted:
            entry.text += text

    def agent_began(self, key: str, at: float, latency_ms: dict[str, int]) -> None:
        """The callee begins to hear the turn; `latency_ms` may still be completed by its owner."""
        entry = self._entries.setdefault(key, _Entry(AGENT))
        entry.began_at = at
        entry.latency_ms = latency_ms

    def agent_played(self, key: str, at: float) -> None:
        """The callee has heard the whole turn."""
        if key in self._entries:
            self._entries[key].ended_at = at

    def agent_cut(self, key: str, at: float, *, heard_ms: int, received_ms: int, complete: bool) -> str:
        """Cut the turn to what was heard and return that."""
        entry = self._entries.setdefault(key, _Entry(AGENT))
        if not entry.interrupted:
            entry.text = heard_text(entry.text, heard_ms=heard_ms, received_ms=received_ms, complete=complete)
            entry.interrupted = True
            entry.ended_at = at
        return entry.text

    def turns(self, answered_at: float) -> tuple[Turn, ...]:
        """Return all turns that were really said, numbered from 0; times in ms after the answer."""
        said = [e for e in self._entries.values() if e.text.strip() and e.began_at is not None]
        return tuple(_turn(position, entry, answered_at) for position, entry in enumerate(said))


def _turn(position: int, entry: _Entry, answered_at: float) -> Turn:
    began_at = entry.began_at if entry.began_at is not None else answered_at
    ended_at = entry.ended_at if entry.ended_at is not None else began_at
    started_ms = max(0, round((began_at - answered_at) * 1000))
    return Turn(
        position=position,
        speaker=entry.speaker,
        text=entry.text.strip(),
        started_ms=started_ms,
        ended_ms=max(started_ms, round((ended_at - answered_at) * 1000)),
        interrupted=entry.interrupted,
        latency_ms=dict(entry.latency_ms),
    )
