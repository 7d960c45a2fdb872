"""How a fault on an HTTP request looks from outside: refused, late, cut, or never answered.

Knows nothing of vendors; the caller gives the refusal in its vendor's own shape.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web

from deploy.simulator.faults import Fault


async def obstruct(
    request: web.Request, fault: Fault | None, refusal: Callable[[Fault], web.Response]
) -> web.Response | None:
    """Act out a fault and return the answer it forces; None lets the request go on."""
    match fault.kind if fault is not None else "":
        case "refuse" if fault is not None:
            return refusal(fault)
        case "delay" if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            return None
        case "drop" | "lost":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=499)
        case "half_open":
            await asyncio.Event().wait()
            return None
        case _:
            return None
