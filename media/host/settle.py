"""Asking the carrier about a call whose worker is gone, and hanging it up when it still lives."""

import asyncio

import structlog

from media.errors import CarrierError
from media.ports import Carrier, CarrierCall
from schema.callspec import Orphan, OrphanFinding

log = structlog.get_logger()

HANG_UP_LOOKS = 10
LOOK_EVERY_S = 0.5


async def ask_carrier(orphan: Orphan, carrier: Carrier) -> OrphanFinding:
    """Find out what became of an orphan; a live leg is hung up, for nobody speaks on it any more."""
    try:
        found = await _find(orphan, carrier)
        if found is not None and found.live:
            found = await _hang_up(found, carrier)
    except CarrierError as error:
        log.warning("orphan_not_asked", call_id=str(orphan.call_id), reason=str(error))
        return OrphanFinding(orphan.call_id, orphan.lease_token, asked=False)
    if found is None:
        return OrphanFinding(orphan.call_id, orphan.lease_token, asked=True)
    return OrphanFinding(
        orphan.call_id,
        orphan.lease_token,
        asked=True,
        provider_call_id=found.provider_call_id,
        outcome=found.outcome,
        talked_s=found.talked_s,
    )


async def _find(orphan: Orphan, carrier: Carrier) -> CarrierCall | None:
    if orphan.provider_call_id is not None:
        return await carrier.look_up(orphan.provider_call_id)
    return await carrier.find(
        orphan.phone_number,
        orphan.from_number,
        orphan.dialing_at.timestamp(),
        frozenset(orphan.known_provider_ids),
    )


async def _hang_up(found: CarrierCall, carrier: Carrier) -> CarrierCall:
    await carrier.hang_up(found.provider_call_id)
    for _ in range(HANG_UP_LOOKS):
        seen = await carrier.look_up(found.provider_call_id)
        if seen is not None and not seen.live:
            return seen
        await asyncio.sleep(LOOK_EVERY_S)
    return found
