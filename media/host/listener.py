"""The worker's own HTTP port: carriers' media sockets, their callbacks, health and metrics.

A stream token in the path opens exactly one call's stream, once; every callback and upgrade must carry the carrier's
signature. Close codes: 4401 unknown token or bad signature, 4409 token already used; 4400 and 4408 come from the
carrier's socket code.
"""

from collections.abc import Callable
from uuid import UUID

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from media.carriers.twilio import callbacks, signature
from media.carriers.twilio.socket import serve_stream
from media.host.metrics import registry
from media.host.registry import LiveCalls

log = structlog.get_logger()

CLOSE_UNAUTHORISED = 4401
CLOSE_ALREADY_USED = 4409
MAX_FRAME_BYTES = 64 * 1024
SIGNATURE_HEADER = "X-Twilio-Signature"


class Listener:
    """Serves one worker's port.

    Args:
        auth_token: the carrier's secret that signs its requests.
        healthy: whether the worker can do its work now.
    """

    def __init__(self, calls: LiveCalls, *, auth_token: str, healthy: Callable[[], bool]) -> None:
        self._calls = calls
        self._auth_token = auth_token
        self._healthy = healthy
        self._runner: web.AppRunner | None = None
        self.public_url = ""

    async def start(self, host: str, port: int, public_url: str) -> None:
        """Bind and serve; `public_url` is known only afterwards when the port is any free one."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/streams/twilio/{token}", self._stream),
                web.post("/carriers/twilio/status/{call_id}", self._status),
                web.get("/healthz", self._health),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound_port = self._runner.addresses[0][1]
        self.public_url = public_url or f"ws://{host}:{bound_port}"

    async def stop(self) -> None:
        """Stop serving and close what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    def stream_url(self, token: str) -> str:
        """Where the carrier opens the media socket of one call."""
        return f"{self.public_url}/streams/twilio/{token}"

    def status_url(self, call_id: UUID) -> str:
        """Where the carrier reports a call's progress."""
        return f"{self._http_url}/carriers/twilio/status/{call_id}"

    @property
    def _http_url(self) -> str:
        return self.public_url.replace("ws", "http", 1)

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False, max_msg_size=MAX_FRAME_BYTES, heartbeat=None)
        await ws.prepare(request)
        token = request.match_info["token"]
        call = self._calls.by_token(token)
        given = request.headers.get(SIGNATURE_HEADER, "")
        if call is None or not signature.valid(self._auth_token, self.stream_url(token), {}, given):
            log.warning("stream_refused", known_token=call is not None)
            await ws.close(code=CLOSE_UNAUTHORISED, message=b"unknown stream token or bad signature")
            return ws
        if call.stream_joined:
            log.warning("stream_token_reused", call_id=str(call.spec.call_id))
            await ws.close(code=CLOSE_ALREADY_USED, message=b"this stream token was used before")
            return ws
        call.stream_joined = True
        await serve_stream(ws, call.inbox)
        return ws

    async def _status(self, request: web.Request) -> web.Response:
        form = await self._signed_form(request)
        event = callbacks.parse_status(form)
        call = self._calls.by_id(UUID(request.match_info["call_id"]))
        if call is not None and event is not None:
            call.inbox.carrier_event(event)
        return web.Response(status=204)

    async def _signed_form(self, request: web.Request) -> dict[str, str]:
        form = {name: str(value) for name, value in (await request.post()).items()}
        url = f"{self._http_url}{request.rel_url}"
        if not signature.valid(self._auth_token, url, form, request.headers.get(SIGNATURE_HEADER, "")):
            log.warning("callback_signature_invalid", path=request.path)
            raise web.HTTPForbidden(text="the request is not signed with this account's auth token")
        return form

    async def _health(self, _request: web.Request) -> web.Response:
        if self._healthy():
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "heartbeat overdue"}, status=503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
