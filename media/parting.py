"""How a session parts from the world: carrier, agent and recording each end within seconds, whatever the others do."""

import asyncio
from collections.abc import Awaitable

import structlog

from media.errors import CarrierError, ProviderError
from media.pipelines.pipeline import Pipeline
from media.ports import Carrier, Leg

log = structlog.get_logger()

LEG_CLOSE_S = 1.0
HANG_UP_TRIES = 3
HANG_UP_AGAIN_S = 1.0
AGENT_END_S = 2.5
PIPELINE_CLOSE_S = 2.0


async def hang_up(carrier: Carrier, provider_call_id: str | None, leg: Leg | None) -> None:
    """End the call at the carrier: its media socket, then the call itself. A carrier that cannot be asked is logged."""
    if leg is not None:
        try:
            async with asyncio.timeout(LEG_CLOSE_S):
                await leg.close()
        except (TimeoutError, OSError) as error:
            log.warning("leg_not_closed", reason=repr(error))
    if provider_call_id is None:
        return
    for attempt in range(1, HANG_UP_TRIES + 1):
        try:
            await carrier.hang_up(provider_call_id)
        except CarrierError as error:
            log.warning("hang_up_failed", attempt=attempt, reason=error.detail)
            await asyncio.sleep(HANG_UP_AGAIN_S)
        else:
            return
    log.error("hang_up_given_up", provider_call_id=provider_call_id)


async def end_agent(agent: asyncio.Task[None], pipeline: Pipeline, *, conversing: bool) -> None:
    """Let the pipeline finish what it owes, then close its providers."""
    if conversing:
        await asyncio.wait({agent}, timeout=AGENT_END_S)
    agent.cancel()
    try:
        async with asyncio.timeout(PIPELINE_CLOSE_S):
            await pipeline.close()
    except (TimeoutError, OSError) as error:
        log.warning("pipeline_not_closed", reason=repr(error))


async def all_of(*endings: Awaitable[None]) -> None:
    """Run all endings at once; one that fails is logged and does not keep the others from their end."""
    for outcome in await asyncio.gather(*endings, return_exceptions=True):
        if isinstance(outcome, BaseException):
            log.error("session_ending_failed", exc_info=outcome)


def first_fault(fault: BaseException) -> BaseException:
    """Return the provider's fault in a group of whatever broke, else its first member."""
    if not isinstance(fault, BaseExceptionGroup):
        return fault
    faults = fault.subgroup(ProviderError)
    return first_fault((faults or fault).exceptions[0])
