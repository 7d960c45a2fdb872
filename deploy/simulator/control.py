"""The back door for tests and the demo: read the ground truth, arm faults, change who answers, start afresh.

Nothing here exists at a real vendor; everything is under /sim.
"""

from aiohttp import web
from pydantic import ValidationError

from deploy.simulator.callees import read_callees
from deploy.simulator.faults import Fault
from deploy.simulator.ledger import dial_view
from deploy.simulator.stage import stage_of
from deploy.simulator.twilio_exchange import EXCHANGE


async def health(_request: web.Request) -> web.Response:
    """GET /sim/health."""
    return web.json_response({"status": "ok"})


async def calls(request: web.Request) -> web.Response:
    """GET /sim/calls: every call, oldest first; `?to=` filters."""
    wanted = request.query.get("to")
    truths = request.app[EXCHANGE].all_observed()
    return web.json_response({"calls": [t.view() for t in truths if wanted is None or t.to == wanted]})


async def call(request: web.Request) -> web.Response:
    """GET /sim/calls/{sid}."""
    truth = request.app[EXCHANGE].observed(request.match_info["sid"])
    if truth is None:
        return web.json_response({"error": "no such call"}, status=404)
    return web.json_response(truth.view())


async def dials(request: web.Request) -> web.Response:
    """GET /sim/dials: every dial request, oldest first."""
    return web.json_response({"dials": [dial_view(dial) for dial in stage_of(request).ledger.dials]})


async def list_faults(request: web.Request) -> web.Response:
    """GET /sim/faults: what is armed, and how often it struck."""
    return web.json_response({"faults": [armed.view() for armed in stage_of(request).faults]})


async def arm_fault(request: web.Request) -> web.Response:
    """POST /sim/faults: arm one fault, or a list of them."""
    body = await request.json()
    try:
        faults = [Fault.model_validate(each) for each in (body if isinstance(body, list) else [body])]
    except ValidationError as error:
        return web.json_response({"error": str(error)}, status=400)
    armed = [stage_of(request).faults.arm(fault).view() for fault in faults]
    return web.json_response({"faults": armed}, status=201)


async def disarm_faults(request: web.Request) -> web.Response:
    """DELETE /sim/faults."""
    stage_of(request).faults.clear()
    return web.Response(status=204)


async def change_callees(request: web.Request) -> web.Response:
    """PUT /sim/callees: replace who answers, as YAML, for calls placed from now on."""
    try:
        stage_of(request).callees = read_callees(await request.text())
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.Response(status=204)


async def reset(request: web.Request) -> web.Response:
    """DELETE /sim/state: hang up live calls, forget calls, dials, deliveries and faults; log files stay."""
    stage = stage_of(request)
    request.app[EXCHANGE].hang_up_all()
    stage.ledger.clear()
    stage.faults.clear()
    stage.sink.clear()
    return web.Response(status=204)


def routes() -> list[web.AbstractRouteDef]:
    """Return the control routes."""
    return [
        web.get("/sim/health", health),
        web.get("/sim/calls", calls),
        web.get("/sim/calls/{sid}", call),
        web.get("/sim/dials", dials),
        web.get("/sim/faults", list_faults),
        web.post("/sim/faults", arm_fault),
        web.delete("/sim/faults", disarm_faults),
        web.put("/sim/callees", change_callees),
        web.delete("/sim/state", reset),
    ]
