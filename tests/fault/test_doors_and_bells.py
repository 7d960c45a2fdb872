"""Faults of the processes that ring and answer: doubled messages, doubled beats, a beat, API or post worker killed.

A bell rung twice, late or never changes nothing: the database says what is to be done and who does it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from deploy.embedded.supervisor import Supervisor
from deploy.launch import ROOT, VENDORS, free_port, process_env
from dispatcher.announce import CeleryAnnouncer
from dispatcher.celery_app import make_app
from schema.callspec import Claim
from schema.settings import ProcessSettings
from tests.fault import promises
from tests.fault.scene import MEDIA, Campaign, Placed, Scene, a_scene, frozen, kill, media_ready
from tests.installation import Installation
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("early")


@dataclass(frozen=True, slots=True)
class Deaths:
    """What was under way when beat, API and post worker were killed."""

    without_beat: tuple[Scene, Campaign]
    without_api: tuple[Scene, Placed]
    without_post: tuple[Scene, Placed]


@pytest.fixture(scope="module")
def deaths(up: Installation) -> Deaths:
    with_beat, with_api, with_post = a_scene(up), a_scene(up), a_scene(up)
    called, reported = with_api.call("stays_a_little"), with_post.call("stays_a_little")
    with_api.answered(called.number)
    kill(up, "beat.1")
    campaign = with_beat.campaign("brief", "busy", "rejected")
    kill(up, "web.1")
    with frozen(up, "post.1"):
        with_post.ended(reported.call_id)
        kill(up, "post.1")
    return Deaths((with_beat, campaign), (with_api, called), (with_post, reported))


def test_a_message_that_comes_four_times_is_one_call(scene: Scene) -> None:
    """Both media workers hold bells of one claim at once: one takes it, the carrier is asked once."""
    up = scene.up
    media_ready(up)
    with frozen(up, *MEDIA):
        placed = scene.call("brief")
        claimed = wait_for(lambda: scene.books.call(placed.call_id)["lease_token"], what="the claim")
        announcer = CeleryAnnouncer(make_app(_settings(up)))
        for _ in range(3):
            announcer.media(Claim(UUID(placed.call_id), claimed))
    row = scene.ended(placed.call_id)
    announcer.media(Claim(UUID(placed.call_id), claimed))
    assert (row["outcome"], row["lease_token"]) == ("human", claimed)
    promises.kept(scene)
    assert len(scene.dials(placed.number)) == 1


def test_two_beats_at_once_dial_everybody_once(scene: Scene) -> None:
    """A second beat rings for every tick too: each tick is run by one, each lead is called once."""
    with _second_beat(scene.up):
        campaign = scene.campaign(*["brief"] * 5)
        promises.kept(scene)
    assert [len(scene.dials(number)) for number in campaign.numbers] == [1] * 5


def test_a_killed_beat_delays_a_campaign_and_nothing_else(deaths: Deaths) -> None:
    """Killed at the start of a campaign: the next beat goes on, each lead is called once."""
    scene, campaign = deaths.without_beat
    promises.kept(scene)
    assert [len(scene.dials(number)) for number in campaign.numbers] == [1] * 3


def test_calls_go_on_while_the_api_is_killed(deaths: Deaths) -> None:
    """The API is killed during a call: the conversation ends as it would have, and is told once."""
    scene, placed = deaths.without_api
    assert scene.ended(placed.call_id)["end_reason"] == "user_hangup"
    promises.kept(scene)
    wait_for(scene.customer.client.ready, what="the API to be back")
    assert scene.customer.ended(placed.call_id)["completed"]


def test_a_post_worker_killed_with_work_on_its_hands_leaves_it_to_the_next(deaths: Deaths) -> None:
    """Killed with a bell it has not answered: the next one analyses the call and tells of it once."""
    scene, placed = deaths.without_post
    promises.kept(scene)
    assert scene.books.call(placed.call_id)["call_summary"] is not None


def _settings(up: Installation) -> ProcessSettings:
    addresses = up.stack.addresses
    return ProcessSettings(database_url=addresses.database_url, redis_url=addresses.redis_url)


@contextmanager
def _second_beat(up: Installation) -> Iterator[None]:
    data_dir = up.data_dir / "second-beat"
    data_dir.mkdir()
    env = process_env(
        database_url=up.stack.addresses.database_url,
        broker_url=up.stack.addresses.redis_url,
        world_url=up.world.base_url,
        simulated=VENDORS,
        web_port=free_port(),
        data_dir=data_dir,
        media_slots=1,
    )
    with Supervisor(ROOT / "Procfile", only={"beat"}, env=env, log_dir=data_dir):
        wait_for(lambda: list(data_dir.glob("beat-schedule*")), what="the second beat")
        yield
