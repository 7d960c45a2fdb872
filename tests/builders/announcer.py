"""An announcer that remembers whom it was to ring."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from schema.callspec import Claim


@dataclass(slots=True)
class RecordingAnnouncer:
    """Keeps every bell in the order it rang."""

    claims: list[Claim] = field(default_factory=list)
    settles: list[UUID] = field(default_factory=list)
    analyses: list[tuple[UUID, int]] = field(default_factory=list)
    deliveries: list[tuple[UUID, int]] = field(default_factory=list)
    ticks: list[str] = field(default_factory=list)

    def media(self, claim: Claim) -> None:
        self.claims.append(claim)

    def media_many(self, claims: Sequence[Claim]) -> None:
        self.claims.extend(claims)

    def settle(self, call_id: UUID) -> None:
        self.settles.append(call_id)

    def analyse(self, call_id: UUID, token: int) -> None:
        self.analyses.append((call_id, token))

    def deliver(self, delivery_id: UUID, token: int) -> None:
        self.deliveries.append((delivery_id, token))

    def tick(self, job: str) -> None:
        self.ticks.append(job)
