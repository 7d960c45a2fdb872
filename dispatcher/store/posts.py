"""Post-processing of ended calls: which are due, who works on one, and what came of it.

`post_token` is the fence and counts the beginnings: taking a call in hand raises it, and only its holder may write.
`post_due_at` is when a call may be taken (again); none means there is nothing left to do.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from dispatcher.store.db import Tx
from schema.outcomes import Outcome
from schema.tables import calls


@dataclass(frozen=True, slots=True)
class PostClaim:
    """The right to begin a call's post-processing, while `token` is the row's."""

    call_id: UUID
    token: int


@dataclass(frozen=True, slots=True)
class PostCall:
    """An ended call in hand. `claim.token` counts how often it was begun, this time included."""

    claim: PostClaim
    account_id: UUID
    outcome: Outcome
    disposition: str | None
    answered_at: datetime | None
    task: str
    analysis_schema: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What post-processing found, or in `error` why it found nothing."""

    summary: str | None = None
    sentiment: str | None = None
    analysis: dict[str, object] | None = None
    error: str | None = None


def due_posts(tx: Tx, *, limit: int, ring_s: int) -> tuple[PostClaim, ...]:
    """List calls whose post-processing is due, and put each off so that it is not rung for again at once."""
    due = (
        select(calls.c.id)
        .where(calls.c.post_due_at.is_not(None), calls.c.post_due_at <= tx.now)
        .order_by(calls.c.post_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(calls)
        .where(calls.c.id == due.c.id)
        .values(post_due_at=tx.now + timedelta(seconds=ring_s))
        .returning(calls.c.id, calls.c.post_token)
    )
    return tuple(PostClaim(row.id, row.post_token) for row in tx.connection.execute(statement))


def begin_post(tx: Tx, claim: PostClaim, *, lease_s: int) -> PostCall | None:
    """Take a call in hand under a fresh token; None when it is done or another has it."""
    config = calls.c.config
    statement = (
        update(calls)
        .where(calls.c.id == claim.call_id, calls.c.post_token == claim.token, calls.c.post_due_at.is_not(None))
        .values(post_token=calls.c.post_token + 1, post_due_at=tx.now + timedelta(seconds=lease_s))
        .returning(
            calls.c.id,
            calls.c.post_token,
            calls.c.account_id,
            calls.c.outcome,
            calls.c.disposition,
            calls.c.answered_at,
            config["task"].astext.label("task"),
            config["instructions"].astext.label("instructions"),
            config["analysis_schema"].label("analysis_schema"),
        )
    )
    row = tx.connection.execute(statement).one_or_none()
    if row is None:
        return None
    return PostCall(
        claim=PostClaim(row.id, row.post_token),
        account_id=row.account_id,
        outcome=Outcome(row.outcome),
        disposition=row.disposition,
        answered_at=row.answered_at,
        task=row.task or row.instructions or "",
        analysis_schema=row.analysis_schema,
    )


def finish_post(tx: Tx, claim: PostClaim, conclusion: Conclusion, disposition: str) -> bool:
    """Write the conclusion and close the call's record; False, and nothing written, when another has it."""
    statement = (
        update(calls)
        .where(calls.c.id == claim.call_id, calls.c.post_token == claim.token, calls.c.completed.is_(False))
        .values(
            call_summary=conclusion.summary,
            sentiment=conclusion.sentiment,
            analysis=conclusion.analysis,
            analysis_error=conclusion.error,
            disposition=disposition,
            completed=True,
            post_due_at=None,
        )
    )
    return tx.connection.execute(statement).rowcount == 1
