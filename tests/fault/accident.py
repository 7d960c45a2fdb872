"""The accident: both media workers are lost in the middle of calls, one killed, the other frozen past its leases.

Begun while other tests have something to wait for, because leases take half a minute to run out;
`test_sessions_lost` tells what becomes of each call.
"""

import signal
from dataclasses import dataclass

from dispatcher.crash_points import CrashPoint
from tests.fault.scene import MEDIA, TASK, Campaign, Placed, Scene, Trap, a_scene, media_ready
from tests.installation import Installation
from tests.waiting import wait_for

TWO_ATTEMPTS = {"max_attempts": 2, "delays_minutes": [60]}
LONGEST_RING = {"task": TASK, "max_duration": 2, "ring_timeout": 120, "voicemail": {"detect": "off"}}


@dataclass(frozen=True, slots=True)
class Accident:
    """The calls that were under way, each as its worker left it, in accounts of their own.

    Attributes:
        cut_off: a conversation of the worker that died.
        abandoned: a conversation of the worker that froze.
        ringing: a lead's phone that rings.
        unanswered: a call whose request the carrier carried out without an answer.
        unlisted: the same, while the carrier's list of calls is down.
        taken: a lead's call in whose taking the worker died.
    """

    cut_off: tuple[Scene, Placed]
    abandoned: tuple[Scene, Placed]
    ringing: tuple[Scene, Campaign]
    unanswered: tuple[Scene, Placed]
    unlisted: tuple[Scene, Placed]
    taken: tuple[Scene, Campaign]
    asleep: str


def happen(up: Installation) -> Accident:
    """Bring calls to every boundary, then lose both workers; returns when the one that died is back."""
    media_ready(up)
    talking = _conversations(up)
    ringing, unanswered, unlisted, taken = (a_scene(up) for _ in range(4))
    rings = ringing.campaign("rings_on", retry=TWO_ATTEMPTS, call_config=LONGEST_RING)
    unanswered_call, unlisted_call = _call_without_answer(unanswered), _call_without_answer(unlisted)
    up.world.arm("twilio", "list", "refuse", number=unlisted_call.number, times=0, status=503)
    wait_for(lambda: ringing.leg(rings.numbers[0])["status"] == "ringing", what="the phone to ring")
    pids = up.supervisor.pids()
    trap = Trap(up, CrashPoint.TAKE_COMMITTED)
    lead = taken.campaign("brief")
    trap.sprung()
    dead = wait_for(lambda: _gone(up, pids), what="the death of a media worker")
    (asleep,) = set(MEDIA) - {dead}
    up.supervisor.kill(asleep, signal.SIGSTOP)
    media_ready(up, dead)
    return Accident(
        cut_off=talking[dead],
        abandoned=talking[asleep],
        ringing=(ringing, rings),
        unanswered=(unanswered, unanswered_call),
        unlisted=(unlisted, unlisted_call),
        taken=(taken, lead),
        asleep=asleep,
    )


def _conversations(up: Installation) -> dict[str, tuple[Scene, Placed]]:
    """Place calls until each media worker carries one."""
    found: dict[str, tuple[Scene, Placed]] = {}
    for _ in range(12):
        scene = a_scene(up)
        placed = scene.call("stays")
        scene.answered(placed.number)
        found.setdefault(scene.owner(placed.call_id), (scene, placed))
        if len(found) == len(MEDIA):
            return found
    raise AssertionError("one media worker takes no calls")


def _call_without_answer(scene: Scene) -> Placed:
    """Place a call whose request the carrier carries out but never answers."""
    scene.up.world.arm("twilio", "create", "half_open", number="0022")
    placed = scene.call("rings_on")
    scene.leg(placed.number)
    scene.up.world.disarm()
    return placed


def _gone(up: Installation, before: dict[str, int]) -> str | None:
    now = up.supervisor.pids()
    return next((name for name in MEDIA if now.get(name) != before[name]), None)
