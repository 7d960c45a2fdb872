"""Send what the outbox holds: lease rows lane by lane, ring for a sender, sign, post, and write what came of it.

No transaction is open while a receiver is waited for. The lease's token is the fence: a sender that lost it writes
nothing, and a killed sender's row becomes due again under the same event id. At least once, in no promised order.
Source: Standard Webhooks 1.0.0.
"""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from standardwebhooks import Webhook

from dispatcher.announce import Announcer
from dispatcher.crash_points import CrashPoint, crash_point
from dispatcher.egress import Answer, Egress, EgressError
from dispatcher.services.lanes import Widths, share_senders
from dispatcher.services.redelivery import after_answer, after_failure
from dispatcher.services.webhook_payload import body_of
from dispatcher.store import deliveries
from dispatcher.store.db import Database
from dispatcher.store.deliveries import Lease, Outgoing, Settlement
from schema.events import DeliveryStatus

log = structlog.get_logger()

RING_LEASE_S = 60
"""How long a leased row waits for its sender before it may be leased again."""
SEND_LEASE_S = 45
"""How long one try may take; well above the client's own limit."""
LANE_TURN = timedelta(seconds=10)
"""How long a sender goes on with its lane before it makes room for others."""
LANE_TURN_SENDS = 200


def sweep_deliveries(db: Database, announcer: Announcer, widths: Widths | None = None) -> int:
    """Lease due deliveries within every receiver's width and ring for each; return how many."""
    with db.transaction() as tx:
        if not deliveries.lone_sweeper(tx):
            return 0
        leased: list[Lease] = []
        for lane, free in share_senders(deliveries.lanes(tx), widths or Widths()):
            leased += deliveries.lease_of_lane(tx, lane.account_id, lane.host, limit=free, lease_s=RING_LEASE_S)
        for lease in leased:
            tx.on_commit(partial(announcer.deliver, lease.delivery_id, lease.token))
    return len(leased)


def send_delivery(db: Database, delivery_id: UUID, token: int, egress: Egress, *, public_base_url: str = "") -> bool:
    """Send one leased delivery, then whatever else is due in its lane; False when the lease is no longer good.

    Goes on while receivers answer well and its turn lasts. `public_base_url` makes the payload's paths absolute.
    """
    with db.transaction() as tx:
        outgoing = deliveries.begin(tx, Lease(delivery_id, token), lease_s=SEND_LEASE_S)
        began_at = tx.now
    if outgoing is None:
        log.info("webhook_lease_lost", delivery_id=str(delivery_id))
        return False
    for _ in range(LANE_TURN_SENDS):
        if outgoing is None:
            break
        outgoing = _send_and_take_next(db, outgoing, egress, public_base_url, until=began_at + LANE_TURN)
    return True


def _send_and_take_next(
    db: Database, outgoing: Outgoing, egress: Egress, public_base_url: str, *, until: datetime
) -> Outgoing | None:
    """Try one delivery, write what came of it, and take the lane's next one when this one went well."""
    delivery_id, tries = outgoing.lease.delivery_id, outgoing.tries + 1
    tried = _post(outgoing, egress, public_base_url)
    crash_point(CrashPoint.DELIVERY_SENT)
    with db.transaction() as tx:
        if isinstance(tried, Answer):
            settlement = after_answer(delivery_id, tries, tried, tx.now)
        else:
            settlement = after_failure(delivery_id, tries, tried.detail, tx.now)
        held = deliveries.settle(tx, outgoing.lease, settlement)
        if held and settlement.status is DeliveryStatus.DISABLED:
            deliveries.disable_url(tx, outgoing.account_id, outgoing.url)
        following = None
        if settlement.status is DeliveryStatus.DELIVERED and tx.now < until:
            following = deliveries.take_of_lane(tx, outgoing.account_id, outgoing.host, lease_s=SEND_LEASE_S)
    _tell(outgoing, tries, settlement, held=held)
    return following


def _post(outgoing: Outgoing, egress: Egress, public_base_url: str) -> Answer | EgressError:
    body = body_of(outgoing.payload, public_base_url)
    message_id = str(outgoing.payload["id"])
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(outgoing.taken_at.timestamp())),
        "webhook-signature": Webhook(outgoing.secret).sign(message_id, outgoing.taken_at, body),
    }
    try:
        return egress.post(outgoing.url, body=body.encode(), headers=headers)
    except EgressError as error:
        return error


def _tell(outgoing: Outgoing, tries: int, settlement: Settlement, *, held: bool) -> None:
    bound = log.bind(
        delivery_id=str(outgoing.lease.delivery_id),
        account_id=str(outgoing.account_id),
        event_type=outgoing.event_type.value,
        tries=tries,
        status_code=settlement.status_code,
    )
    if not held:
        bound.warning("webhook_result_fenced")
    elif settlement.status is DeliveryStatus.DELIVERED:
        bound.info("webhook_delivered")
    elif settlement.status is DeliveryStatus.PENDING:
        bound.info("webhook_put_off", error=settlement.error)
    else:
        bound.warning("webhook_given_up", status=settlement.status.value, error=settlement.error)
