"""Random kills through a campaign, and an orderly stop while the storm's leases run out.

Who was killed when follows from the seed, which is printed; TRUNKLINE_STORM_SEED repeats one.
"""

import os
import random
import signal

import pytest

from dispatcher.store.db import Database
from dispatcher.store.live import media_slots_free
from tests.fault import promises
from tests.fault.books import ready_workers
from tests.fault.scene import MEDIA, SLOTS, Scene, media_ready
from tests.fault.storm import PROCESSES, SERVERS, Storm, rage
from tests.installation import Installation
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def storm(up: Installation) -> Storm:
    media_ready(up)
    return rage(up, _seed(), leads=25, kills=8)


@pytest.mark.usefixtures("storm")
def test_a_worker_told_to_stop_lets_calls_end_and_takes_no_new_ones(scene: Scene) -> None:
    """SIGTERM: calls that end within the grace end as they would have, others as worker_shutdown and hung up."""
    up = scene.up
    media_ready(up)
    ending, staying = scene.call("stays_a_little"), scene.call("stays")
    scene.answered(ending.number)
    scene.answered(staying.number)
    old = {name: up.supervisor.kill(name, signal.SIGTERM) for name in MEDIA}
    wait_for(lambda: not ready_workers(scene.books.database_url), what="both workers to drain")
    later = scene.call("brief")
    assert scene.ended(ending.call_id)["end_reason"] == "user_hangup"
    assert scene.ended(staying.call_id)["end_reason"] == "error.gateway.worker_shutdown"
    assert scene.leg(staying.number)["ended_by"] == "stream_closed"
    for name, pid in old.items():
        up.supervisor.wait_restart(name, pid, 30)
    assert scene.ended(later.call_id)["outcome"] == "human"
    promises.kept(scene)
    assert [len(scene.dials(one.number)) for one in (ending, staying, later)] == [1, 1, 1]


def test_after_a_storm_of_kills_every_promise_is_kept(storm: Storm) -> None:
    """Eight random kill -9 during a campaign: nobody dialled twice, no lead lost, quota adds up, one event per call."""
    promises.kept(storm.scene, told_within_s=None)
    wait_for(lambda: _free_slots(storm.scene.up) == len(MEDIA) * SLOTS, what="free slots", within_s=60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_after_a_long_storm_every_lead_is_closed_and_everybody_told(up: Installation) -> None:
    """Sixty random kills, broker and database among them: the campaign is completed and every call told of."""
    media_ready(up)
    storm = rage(up, _seed(), leads=150, kills=60, targets=(*PROCESSES, *SERVERS))
    path = f"/v1/campaigns/{storm.campaign.campaign_id}"
    client = storm.scene.customer.client
    wait_for(lambda: client.ready() and client.get(path)["status"] == "completed", what="the end", within_s=400)
    promises.kept(storm.scene, told_within_s=360)
    assert all(storm.scene.legs(number) for number in storm.campaign.numbers)


def _seed() -> int:
    return int(os.environ.get("TRUNKLINE_STORM_SEED", "") or random.SystemRandom().randrange(1_000_000))


def _free_slots(up: Installation) -> int:
    database = Database(up.stack.addresses.database_url, pool_size=1)
    try:
        with database.transaction() as tx:
            return media_slots_free(tx)
    finally:
        database.dispose()
