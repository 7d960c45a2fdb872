"""OpenAI's realtime interface (GA): the handshake, and who is turned away with which status or close code.

Beta clients are closed with 4000, wrong keys with 3000 after an error event, as the real one does. Source: OpenAI,
Realtime API reference (GA); close codes as clients report them.
"""

from typing import Final

from aiohttp import web

from deploy.simulator.obstruction import obstruct
from deploy.simulator.openai_errors import bad_key_message, is_key, key_of, openai_error, openai_refusal
from deploy.simulator.realtime_events import EventWriter
from deploy.simulator.realtime_server import VENDOR, RealtimeSession
from deploy.simulator.stage import stage_of
from deploy.simulator.vendor_socket import VendorSocket

_BETA_DISABLED: Final = 4000
_BAD_KEY: Final = 3000


async def connect(request: web.Request) -> web.StreamResponse:
    """GET /openai/v1/realtime: open a session."""
    stage = stage_of(request)
    fault = stage.faults.take(VENDOR, "connect", subject=request.query_string)
    if (obstacle := await obstruct(request, fault, openai_refusal)) is not None:
        return obstacle
    if not key_of(request):
        return openai_error(401, "Missing bearer or basic authentication in header", code=None)
    model = request.query.get("model", "")
    if not model:
        return openai_error(400, "You must provide a model parameter.", code="missing_model", param="model")
    socket = VendorSocket(request)
    await socket.open()
    writer = EventWriter()
    if "OpenAI-Beta" in request.headers:
        message = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
        await socket.send(writer.error(message, code="beta_api_shape_disabled"))
        await socket.close(_BETA_DISABLED, "invalid_request_error.beta_api_shape_disabled")
    elif not is_key(request):
        await socket.send(writer.error(bad_key_message(key_of(request)), code="invalid_api_key"))
        await socket.close(_BAD_KEY, "invalid_request_error.invalid_api_key")
    else:
        socket.suffer(stage.faults.take(VENDOR, "session", subject=request.query_string))
        await RealtimeSession(stage, socket, model).run()
    return socket.web


def routes() -> list[web.AbstractRouteDef]:
    """Return the realtime route."""
    return [web.get("/openai/v1/realtime", connect)]
