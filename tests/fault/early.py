"""Faults whose cure takes up to a minute, begun together before anything else so that the minute passes only once.

Each has an account of its own; `test_word_lost_on_the_way` tells what becomes of them.
"""

from dataclasses import dataclass

import httpx
import pytest

from dispatcher.crash_points import CrashPoint
from tests.fault.scene import Campaign, Placed, Scene, Trap, a_scene, media_ready, new_number
from tests.installation import Installation, Json


@dataclass(frozen=True, slots=True)
class EarlyFaults:
    """What was begun: word that was lost between two parties.

    Attributes:
        request: to dial, which never reached the carrier's switchboard.
        answer: of the carrier, which carried the request out.
        bell: of the dispatch worker, killed between the commit and the message.
        receipt: of the webhook's receiver, whose sender was killed before it wrote that down.
        reply: to an API request, whose web worker was killed after the call was accepted; with the request.
    """

    request: tuple[Scene, Campaign]
    answer: tuple[Scene, Placed]
    bell: tuple[Scene, Campaign]
    receipt: tuple[Scene, Placed]
    reply: tuple[Scene, Json]

    @property
    def soon_over(self) -> tuple[Scene, ...]:
        """Give the customers whose calls take half a minute at most, dialled by workers that must live so long."""
        return self.answer[0], self.bell[0], self.reply[0]


def begin(up: Installation) -> EarlyFaults:
    """Start a call for each fault and let the fault strike."""
    media_ready(up)
    request, answer, bell, receipt, reply = (a_scene(up) for _ in range(5))
    up.world.arm("twilio", "create", "lost", number="0014")
    lost = request.campaign("brief")
    request.asked(lost.numbers[0])
    up.world.arm("twilio", "create", "drop", number="0021")
    dropped = answer.call("stays_a_little")
    answer.leg(dropped.number)
    sent = Trap(up, CrashPoint.DELIVERY_SENT)
    delivered = receipt.call("busy")
    sent.sprung()
    claimed = Trap(up, CrashPoint.CLAIM_COMMITTED)
    unannounced = bell.campaign("brief", "brief")
    claimed.sprung()
    return EarlyFaults(
        request=(request, lost),
        answer=(answer, dropped),
        bell=(bell, unannounced),
        receipt=(receipt, delivered),
        reply=(reply, _asked_in_vain(reply)),
    )


def _asked_in_vain(scene: Scene) -> Json:
    """Send a request whose web worker dies between commit and reply, and return it."""
    accepted = Trap(scene.up, CrashPoint.ACCEPT_COMMITTED)
    order = {**scene.order(new_number("brief")), "idempotency_key": "visit-2041"}
    with pytest.raises(httpx.TransportError):
        scene.customer.call(**order)
    accepted.sprung()
    return order
