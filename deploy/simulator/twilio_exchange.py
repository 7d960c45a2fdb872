"""The simulated carrier's switch: places calls, keeps the live ones, starts no more per second than it may.

Every dial request is written down before it is answered, so that "nobody was dialled twice" has an independent witness.
"""

import asyncio
import time
from typing import Final
from uuid import uuid4

from aiohttp import web

from deploy.simulator.ledger import CallTruth, Dial
from deploy.simulator.stage import Stage
from deploy.simulator.twilio_call import Ending, PhoneCall
from deploy.simulator.twilio_request import DialRequest


class Exchange:
    """All calls of one carrier account."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._live: dict[str, PhoneCall] = {}
        self._next_start_at = 0.0

    def refuse(self, to: str, from_number: str, reason: str) -> None:
        """Write down a dial request that places no call."""
        self._stage.ledger.dialled(Dial(to, from_number, time.time(), None, reason))

    def place(self, request: DialRequest) -> CallTruth:
        """Place a call and return it, queued."""
        now = time.time()
        sid = f"CA{uuid4().hex}"
        person = self._stage.callees.at(request.to)
        self._stage.ledger.dialled(Dial(request.to, request.from_number, now, sid, "accepted"))
        truth = CallTruth(sid, request.to, request.from_number, person.name, now, send_digits=request.send_digits)
        self._stage.ledger.calls[sid] = truth
        call = PhoneCall(self._stage, truth, request, person)
        self._live[sid] = call
        self._stage.spawn(self._live_through(call))
        return truth

    async def _live_through(self, call: PhoneCall) -> None:
        try:
            await call.run(self._queued_s())
        finally:
            self._live.pop(call.truth.sid, None)

    def _queued_s(self) -> float:
        per_s = self._stage.settings.twilio_calls_per_s
        if per_s <= 0:
            return 0.0
        now = asyncio.get_running_loop().time()
        start_at = max(now, self._next_start_at)
        self._next_start_at = start_at + 1 / per_s
        return start_at - now

    def live(self, sid: str) -> PhoneCall | None:
        """Return a call that has not ended."""
        call = self._live.get(sid)
        return call if call is not None and call.truth.live else None

    def truth(self, sid: str) -> CallTruth | None:
        """Return what is known about a call, live or ended; of a live one without its words so far."""
        return self._stage.ledger.calls.get(sid)

    def observed(self, sid: str) -> CallTruth | None:
        """Return everything known about a call, of a live one with its words so far."""
        call = self.live(sid)
        return self.truth(sid) if call is None else call.observe()

    def all_observed(self) -> list[CallTruth]:
        """Return everything known about all calls, oldest first."""
        return [truth for sid in self._stage.ledger.calls if (truth := self.observed(sid)) is not None]

    def hang_up_all(self) -> None:
        """End every live call."""
        for call in tuple(self._live.values()):
            call.end(Ending("completed", "reset"))


EXCHANGE: Final = web.AppKey("exchange", Exchange)
