"""A receiver of webhooks: keeps every delivery exactly as it came and answers as told.

It verifies nothing; whoever reads the deliveries does. PUT /sink/{name} takes {"statuses": [500, 200], "delay_s": 0,
"headers": {}}: the first delivery gets the first status, and so on, and the last status stays.
"""

import asyncio
import time
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from deploy.simulator.ledger import Ledger


class SinkAnswer(BaseModel):
    """How one receiver answers."""

    model_config = ConfigDict(extra="forbid")

    statuses: list[int] = Field(default=[200], min_length=1)
    delay_s: float = Field(default=0.0, ge=0)
    headers: dict[str, str] = Field(default_factory=dict)


@dataclass(slots=True)
class Delivery:
    """One request as received; `body` is the raw body read as UTF-8, `headers` keep their spelling."""

    at: float
    status: int
    headers: dict[str, str]
    body: str

    def view(self) -> dict[str, object]:
        """Return the delivery as the control interface and the log show it."""
        return {"at": self.at, "status": self.status, "headers": self.headers, "body": self.body}


@dataclass(slots=True)
class Receiver:
    """One named receiver."""

    answer: SinkAnswer = field(default_factory=SinkAnswer)
    answered: int = 0
    deliveries: list[Delivery] = field(default_factory=list)


class Sink:
    """All receivers, made when first named."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._receivers: dict[str, Receiver] = {}

    def clear(self) -> None:
        """Forget all deliveries and answers; log files stay."""
        self._receivers.clear()

    def _receiver(self, request: web.Request) -> Receiver:
        return self._receivers.setdefault(request.match_info["name"], Receiver())

    async def receive(self, request: web.Request) -> web.Response:
        """Take a delivery."""
        receiver = self._receiver(request)
        body = await request.read()
        answer = receiver.answer
        status = answer.statuses[min(receiver.answered, len(answer.statuses) - 1)]
        receiver.answered += 1
        headers = {str(name): value for name, value in request.headers.items()}
        delivery = Delivery(time.time(), status, headers, body.decode("utf-8", "replace"))
        receiver.deliveries.append(delivery)
        self._ledger.append(f"sink-{request.match_info['name']}", delivery.view())
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        return web.Response(status=status, headers=answer.headers)

    async def configure(self, request: web.Request) -> web.Response:
        """Change how a receiver answers, from the next delivery on."""
        receiver = self._receiver(request)
        receiver.answer = SinkAnswer.model_validate_json(await request.read())
        receiver.answered = 0
        return web.Response(status=204)

    async def show(self, request: web.Request) -> web.Response:
        """Give back the deliveries of a receiver, oldest first."""
        return web.json_response({"deliveries": [each.view() for each in self._receiver(request).deliveries]})

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of all receivers."""
        path = "/sink/{name}"
        return [web.post(path, self.receive), web.put(path, self.configure), web.get(path, self.show)]
