"""Our side of simulated phone calls: a listener for Twilio's sockets and callbacks, and sinks that remember."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_TWILIO_SID, DEFAULT_TWILIO_TOKEN
from media.carriers.twilio import signature
from media.carriers.twilio.callbacks import parse_status
from media.carriers.twilio.carrier import TwilioCarrier
from media.carriers.twilio.socket import LIMITS, StreamLimits, TwilioLeg, serve_stream
from media.ports import CarrierEvent, DialRequest, Leg
from tests.conformance.adapters.signals import Changes

FROM = "+15550009999"


class Line(Changes):
    """Everything that reaches us about one call; a LegSink, too."""

    def __init__(self, host: str, limits: StreamLimits) -> None:
        super().__init__()
        self.host = host
        self.limits = limits
        self.events: list[CarrierEvent] = []
        self.audio = bytearray()
        self.digits = ""
        self.marks: list[str] = []
        self.leg: TwilioLeg | None = None
        self.times_left = 0
        self.broke = False
        self.upgrades_signed: list[bool] = []

    def request(self, to: str, *, ring_timeout_s: int = 30, detect_machine: bool = False) -> DialRequest:
        """A dial that leads back to this line."""
        return DialRequest(
            call_id="call-1",
            to=to,
            from_=FROM,
            stream_url=f"ws://{self.host}/stream",
            status_url=f"http://{self.host}/status",
            ring_timeout_s=ring_timeout_s,
            time_limit_s=60,
            detect_machine=detect_machine,
        )

    async def joined(self) -> TwilioLeg:
        """Wait for the media socket."""
        await self.until(lambda: self.leg is not None)
        assert self.leg is not None
        return self.leg

    async def heard_of(self, kind: type[CarrierEvent]) -> CarrierEvent:
        """Wait for a callback of the kind."""
        await self.until(lambda: any(isinstance(event, kind) for event in self.events))
        return next(event for event in self.events if isinstance(event, kind))

    def leg_joined(self, leg: Leg) -> None:
        assert isinstance(leg, TwilioLeg)
        self.leg = leg
        self.tell()

    def callee_audio(self, audio: bytes) -> None:
        self.audio += audio
        self.tell()

    def mark_played(self, name: str) -> None:
        self.marks.append(name)
        self.tell()

    def digit_pressed(self, digit: str) -> None:
        self.digits += digit
        self.tell()

    def leg_left(self, *, broke: bool = False) -> None:
        self.times_left += 1
        self.broke = broke
        self.tell()


@asynccontextmanager
async def open_line(limits: StreamLimits = LIMITS) -> AsyncIterator[Line]:
    """Serve one line on a free port."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=2.0)

    async def stream(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        url = f"ws://{request.host}{request.path}"
        given = request.headers.get("X-Twilio-Signature", "")
        line.upgrades_signed.append(signature.valid(DEFAULT_TWILIO_TOKEN, url, {}, given))
        await serve_stream(ws, line, line.limits)
        return ws

    async def status(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signed = signature.valid(DEFAULT_TWILIO_TOKEN, str(request.url), form, request.headers["X-Twilio-Signature"])
        event = parse_status(form) if signed else None
        if event is not None:
            line.events.append(event)
            line.tell()
        return web.Response(status=204 if signed else 403)

    app.add_routes([web.get("/stream", stream), web.post("/status", status)])
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    line = Line(f"127.0.0.1:{runner.addresses[0][1]}", limits)
    try:
        yield line
    finally:
        await runner.cleanup()


@asynccontextmanager
async def open_carrier(world: World, *, auth_token: str = DEFAULT_TWILIO_TOKEN) -> AsyncIterator[TwilioCarrier]:
    """The simulated account's carrier, which does not wait between tries."""

    async def at_once(_seconds: float) -> None:
        return

    carrier = TwilioCarrier(
        base_url=world.base_url, account_sid=DEFAULT_TWILIO_SID, auth_token=auth_token, pause=at_once
    )
    try:
        yield carrier
    finally:
        await carrier.close()
