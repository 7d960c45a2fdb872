"""Calls as facts to be shown: one wide read of what the row, its configuration and its policy version say.

Reads only; nothing here moves a call. Which facts are public, and under which names, is decided in
`dispatcher.services.call_record`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, select

from dispatcher.store.db import Tx
from schema.outcomes import AnsweredBy, EndReason, Outcome
from schema.states import CallPhase
from schema.tables import calls, policy_versions


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call as stored. Durations in seconds, `latency_ms` per stage."""

    call_id: UUID
    account_id: UUID
    campaign_id: UUID | None
    lead_id: UUID | None
    attempt_number: int | None
    phone_number: str
    from_number: str
    phase: CallPhase
    outcome: Outcome | None
    answered_by: AnsweredBy | None
    end_reason: EndReason | None
    disposition: str | None
    error_message: str | None
    provider_call_id: str | None
    due_at: datetime
    created_at: datetime
    dialing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    talked_s: float
    billed_s: int
    has_recording: bool
    tool_calls: tuple[dict[str, object], ...]
    latency_ms: dict[str, dict[str, float]]
    call_summary: str | None
    sentiment: str | None
    analysis: dict[str, object] | None
    analysis_error: str | None
    completed: bool
    metadata: dict[str, object]
    campaign_metadata: dict[str, object]


_UNREAD = frozenset({"config", "lead_context", "gate", "stream_token_hash"})
_QUERY = select(
    *(column for column in calls.c if column.name not in _UNREAD),
    calls.c.config["metadata"].label("own_metadata"),
    policy_versions.c.body["metadata"].label("campaign_metadata"),
).select_from(calls.outerjoin(policy_versions, policy_versions.c.id == calls.c.policy_version_id))


def call_facts(tx: Tx, call_ids: Sequence[UUID], account_id: UUID | None = None) -> dict[UUID, CallFacts]:
    """Read several calls; those unknown, or of another account when `account_id` is given, are absent."""
    if not call_ids:
        return {}
    query = _QUERY.where(calls.c.id.in_(call_ids))
    if account_id is not None:
        query = query.where(calls.c.account_id == account_id)
    return {row["id"]: _facts(row) for row in tx.connection.execute(query).mappings()}


def _facts(row: RowMapping) -> CallFacts:
    return CallFacts(
        call_id=row["id"],
        account_id=row["account_id"],
        campaign_id=row["campaign_id"],
        lead_id=row["lead_id"],
        attempt_number=row["attempt_number"],
        phone_number=row["phone_number"],
        from_number=row["from_number"],
        phase=CallPhase(row["phase"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        answered_by=AnsweredBy(row["answered_by"]) if row["answered_by"] else None,
        end_reason=EndReason(row["end_reason"]) if row["end_reason"] else None,
        disposition=row["disposition"],
        error_message=row["error_message"],
        provider_call_id=row["provider_call_id"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        dialing_at=row["dialing_at"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
        talked_s=float(row["talked_s"]),
        billed_s=row["billed_s"],
        has_recording=row["recording_path"] is not None,
        tool_calls=tuple(row["tool_calls"]),
        latency_ms=row["latency_ms"],
        call_summary=row["call_summary"],
        sentiment=row["sentiment"],
        analysis=row["analysis"],
        analysis_error=row["analysis_error"],
        completed=row["completed"],
        metadata=row["own_metadata"] or {},
        campaign_metadata=row["campaign_metadata"] or {},
    )
