"""The public record of a call: which stored facts are shown, under which names, in which units.

GET /v1/calls/{id} and every webhook are built here, so both tell the same. System fields and anything that looks like a
credential never leave through metadata. Who may ask is the caller's question: give `account_id` to see only one's own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from dispatcher.store.call_facts import CallFacts, call_facts
from dispatcher.store.db import Tx
from dispatcher.store.transcripts import turns_of
from schema.call_config import CallConfig
from schema.callspec import Turn
from schema.outcomes import OUTCOMES, Outcome, TelephonyStatus
from schema.records import CallRecord, ToolCallLine, TranscriptLine
from schema.states import CallPhase, CallStatus

SECRET_SUFFIXES = ("_token", "_secret", "_key", "_password")
_AGENT_SPEAKERS = frozenset({"agent", "assistant"})
_SYSTEM_FIELDS = frozenset(CallConfig.model_fields)
_MINUTE_DIGITS = 4


def call_record(tx: Tx, call_id: UUID, account_id: UUID | None = None) -> CallRecord | None:
    """Build the record of one call; None when there is no such call, or not in the given account."""
    records = call_records(tx, (call_id,), account_id)
    return records[0] if records else None


def call_records(
    tx: Tx, call_ids: Sequence[UUID], account_id: UUID | None = None, *, with_transcript: bool = True
) -> tuple[CallRecord, ...]:
    """Build the records of several calls in the order asked for; unknown ones are left out.

    Without `with_transcript` every `transcript` is None, as in lists.
    """
    facts = call_facts(tx, call_ids, account_id)
    said = turns_of(tx, tuple(facts)) if with_transcript else {}
    return tuple(
        _record(facts[call_id], said.get(call_id, ()) if with_transcript else None, tx.now)
        for call_id in call_ids
        if call_id in facts
    )


def at_base(record: CallRecord, public_base_url: str) -> CallRecord:
    """Make the record's paths absolute under the API's public address; unchanged when that is not known."""
    base = public_base_url.rstrip("/")
    if not base:
        return record
    recording = None if record.recording_url is None else base + record.recording_url
    return record.model_copy(update={"recording_url": recording, "transcript_url": base + record.transcript_url})


def public_status(phase: CallPhase, outcome: Outcome | None, due_at: datetime, now: datetime) -> CallStatus:
    """Translate a call's internal phase to the status the account sees."""
    match phase:
        case CallPhase.SCHEDULED:
            return CallStatus.PENDING if due_at > now else CallStatus.QUEUED
        case CallPhase.CLAIMED:
            return CallStatus.QUEUED
        case CallPhase.DIALING | CallPhase.RINGING | CallPhase.ANSWERED:
            return CallStatus.IN_PROGRESS
        case CallPhase.ENDED:
            return CallStatus.FAILED if outcome is None else OUTCOMES[outcome].status
        case CallPhase.CANCELLED:
            return CallStatus.CANCELLED
        case CallPhase.EXPIRED | CallPhase.AMBIGUOUS:
            return CallStatus.FAILED
        case _:
            assert_never(phase)


def telephony_status(phase: CallPhase, outcome: Outcome | None) -> TelephonyStatus | None:
    """Say what the telephone network made of the call; None before it was asked."""
    match phase:
        case CallPhase.SCHEDULED | CallPhase.CLAIMED:
            return None
        case CallPhase.DIALING | CallPhase.RINGING | CallPhase.ANSWERED:
            return TelephonyStatus.IN_PROGRESS
        case CallPhase.ENDED:
            return TelephonyStatus.FAILED if outcome is None else OUTCOMES[outcome].call_status
        case CallPhase.CANCELLED:
            return TelephonyStatus.CANCELLED
        case CallPhase.EXPIRED | CallPhase.AMBIGUOUS:
            return TelephonyStatus.FAILED
        case _:
            assert_never(phase)


def shown_metadata(metadata: Mapping[str, object]) -> dict[str, object]:
    """Strip system fields at the top, and at any depth every key that ends like a credential."""
    return {
        key: _without_secrets(value)
        for key, value in metadata.items()
        if key not in _SYSTEM_FIELDS and not _looks_secret(key)
    }


def _looks_secret(key: str) -> bool:
    return key.lower().endswith(SECRET_SUFFIXES)


def _without_secrets(value: object) -> object:
    match value:
        case dict():
            return {key: _without_secrets(inner) for key, inner in value.items() if not _looks_secret(str(key))}
        case list():
            return [_without_secrets(inner) for inner in value]
        case _:
            return value


def _record(facts: CallFacts, said: Sequence[Turn] | None, now: datetime) -> CallRecord:
    path = f"/v1/calls/{facts.call_id}"
    return CallRecord(
        call_id=facts.call_id,
        id=facts.call_id,
        account_id=facts.account_id,
        phone_number=facts.phone_number,
        from_phone_number=facts.from_number,
        status=public_status(facts.phase, facts.outcome, facts.due_at, now),
        call_status=telephony_status(facts.phase, facts.outcome),
        answered_by=facts.answered_by,
        outcome=facts.outcome,
        disposition=facts.disposition,
        end_reason=facts.end_reason,
        error_message=facts.error_message,
        duration=_minutes(facts.talked_s),
        billed_minutes=_minutes(facts.billed_s),
        transcript=None if said is None else _transcript(said, facts.answered_at or facts.created_at),
        transcript_url=f"{path}/transcript",
        recording_url=f"{path}/recording" if facts.has_recording else None,
        call_summary=facts.call_summary,
        sentiment=facts.sentiment,
        analysis=facts.analysis,
        analysis_error=facts.analysis_error,
        tool_calls=tuple(ToolCallLine.model_validate(tool_call) for tool_call in facts.tool_calls),
        latency=facts.latency_ms,
        campaign_id=facts.campaign_id,
        lead_id=facts.lead_id,
        attempt_number=facts.attempt_number,
        metadata=shown_metadata({**facts.campaign_metadata, **facts.metadata}),
        completed=facts.completed,
        created_at=facts.created_at,
        started_at=facts.dialing_at,
        end_at=facts.ended_at,
        provider_call_id=facts.provider_call_id,
    )


def _transcript(said: Sequence[Turn], answered_at: datetime) -> tuple[TranscriptLine, ...]:
    return tuple(
        TranscriptLine(
            id=turn.position,
            user="assistant" if turn.speaker in _AGENT_SPEAKERS else "user",
            text=turn.text,
            created_at=answered_at + timedelta(milliseconds=turn.started_ms),
        )
        for turn in said
    )


def _minutes(seconds: float) -> float:
    return round(seconds / 60, _MINUTE_DIGITS)
