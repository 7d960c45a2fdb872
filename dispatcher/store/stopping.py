"""What stopping and pausing touch: undialled calls of a campaign, who waits in it, and live calls asked to end.

Which of them are touched is decided in `dispatcher.services`.
"""

from collections.abc import Sequence
from uuid import UUID

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql, words
from schema.states import CallPhase

_UP = words((CallPhase.DIALING, CallPhase.RINGING, CallPhase.ANSWERED))

_CLAIMED = sql("""
    select id from calls
    where campaign_id = :campaign_id and enrolment_id is not null and phase = 'claimed'
    order by id
    """)
_UNDIALLED = sql("""
    select id from calls
    where campaign_id = :campaign_id and enrolment_id is not null and phase in ('scheduled', 'claimed')
    order by id
    """)
_CANCEL_WAITING = sql("""
    update enrolments set state = 'cancelled', blocked_by = null, blocked_until = null, callback_at = null,
        updated_at = :now
    where campaign_id = :campaign_id and state in $waiting
    """)
_HANG_UP_CAMPAIGN = sql(
    "update calls set stop_requested = true where campaign_id = :campaign_id and phase in $up", up=_UP
)
_HANG_UP = sql("update calls set stop_requested = true where id = :call_id and phase in $up", up=_UP)


def claimed_calls(tx: Tx, campaign_id: UUID) -> Sequence[UUID]:
    """List a campaign's calls that wait for a media worker."""
    return tuple(tx.connection.execute(_CLAIMED, {"campaign_id": campaign_id}).scalars())


def undialled_calls(tx: Tx, campaign_id: UUID) -> Sequence[UUID]:
    """List a campaign's calls that have not been dialled: those accepted and those that wait for a media worker."""
    return tuple(tx.connection.execute(_UNDIALLED, {"campaign_id": campaign_id}).scalars())


def cancel_waiting(tx: Tx, campaign_id: UUID) -> None:
    """Take everybody who waits out of a campaign."""
    tx.connection.execute(_CANCEL_WAITING, {"campaign_id": campaign_id, "now": tx.now})


def hang_up_campaign(tx: Tx, campaign_id: UUID) -> None:
    """Ask the media workers to end a campaign's live calls; they hear it with their next heartbeat."""
    tx.connection.execute(_HANG_UP_CAMPAIGN, {"campaign_id": campaign_id})


def hang_up(tx: Tx, call_id: UUID) -> bool:
    """Ask the media worker to end a live call; False when it is not live."""
    return tx.connection.execute(_HANG_UP, {"call_id": call_id}).rowcount == 1
