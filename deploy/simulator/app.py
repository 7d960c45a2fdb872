"""The simulated world as one aiohttp application: every vendor under its own path, on one loopback port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from deploy.simulator import control, deepgram_listen, deepgram_speak, openai_chat, openai_realtime, twilio_rest
from deploy.simulator.callees import Callees
from deploy.simulator.settings import WorldSettings
from deploy.simulator.stage import STAGE, Stage
from deploy.simulator.twilio_exchange import EXCHANGE, Exchange

HOST: Final = "127.0.0.1"
_STOP_S: Final = 1.0


def make_app(stage: Stage) -> web.Application:
    """Return the application of one world."""
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app[STAGE] = stage
    app[EXCHANGE] = Exchange(stage)
    for vendor in (control, twilio_rest, openai_realtime, openai_chat, deepgram_listen, deepgram_speak):
        app.add_routes(vendor.routes())
    app.add_routes(stage.sink.routes())
    return app


@asynccontextmanager
async def running_world(settings: WorldSettings, callees: Callees, *, port: int = 0) -> AsyncIterator[str]:
    """Serve a world inside this event loop and yield its base URL; port 0 takes a free one."""
    stage = Stage(settings, callees)
    runner = web.AppRunner(make_app(stage), handler_cancellation=True, shutdown_timeout=_STOP_S, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port, backlog=1024)
        await site.start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await stage.close()
        await runner.cleanup()
