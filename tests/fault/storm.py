"""A storm: random processes are killed while a campaign runs; the seed tells which, and when.

The next kill comes when the carrier has seen so many more dials, or nothing for a while.
"""

import random
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from deploy.embedded.errors import SupervisorError
from tests.fault.scene import Campaign, Scene, a_scene, kill
from tests.installation import Installation
from tests.waiting import wait_for

PROCESSES = ("media.1", "media.2", "dispatch.1", "post.1", "beat.1")
SERVERS = ("broker", "database")
PEOPLE = ("brief", "brief", "brief", "stays_a_little", "busy", "rejected", "hangs_up_mid_sentence")
QUIET_S = 1.5


@dataclass(frozen=True, slots=True)
class Storm:
    """What was done to whom."""

    seed: int
    scene: Scene
    campaign: Campaign
    killed: tuple[str, ...]


def rage(up: Installation, seed: int, *, leads: int, kills: int, targets: Sequence[str] = PROCESSES) -> Storm:
    """Run a campaign and kill through it; returns when the last target is back, not when the campaign is done."""
    choice = random.Random(seed)
    sys.stdout.write(f"storm of seed {seed}\n")
    scene = a_scene(up)
    victims = [*targets, *choice.choices(targets, k=max(0, kills - len(targets)))][:kills]
    choice.shuffle(victims)
    moments = sorted(choice.randrange(1, max(2, leads * 3 // 4)) for _ in victims)
    campaign = scene.campaign(*choice.choices(PEOPLE, k=leads), retry={"max_attempts": 2, "delays_minutes": [1]})
    for victim, moment in zip(victims, moments, strict=True):
        with suppress(TimeoutError):
            wait_for(lambda m=moment: len(_dialled(scene, campaign)) >= m, what="dials", within_s=QUIET_S)  # type: ignore[misc]
        _strike(up, victim)
    return Storm(seed, scene, campaign, tuple(victims))


def _dialled(scene: Scene, campaign: Campaign) -> set[str]:
    return {dial["to"] for dial in scene.up.world.dials()} & set(campaign.numbers)


def _strike(up: Installation, victim: str) -> None:
    match victim:
        case "broker":
            up.stack.kill_redis()
            up.stack.start_redis()
        case "database":
            up.stack.kill_postgres()
            up.stack.start_postgres()
        case name:
            with suppress(SupervisorError):
                kill(up, name)
