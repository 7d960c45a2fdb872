"""Campaigns and the clock: a start to come, an end that comes first, and the hours of the people called."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.campaign import ALL_DAY, BEGINS_IN, OPEN_SCHEDULE, Campaign, create_campaign
from tests.e2e.client import a_claim_later
from tests.installation import Installation
from tests.waiting import wait_for

NOON, EVENING = 12, 18


@pytest.fixture(scope="module")
def timed(up: Installation) -> Campaign:
    """A campaign closed around noon, with one lead where it is noon and one where it is evening."""
    windows = [{**ALL_DAY, "end": "11:00"}, {**ALL_DAY, "start": "14:00"}]
    campaign = create_campaign(
        up,
        up.customer(),
        {"Nora": "brief", "Evan": "brief"},
        zones={"Nora": zone_where_it_is(NOON), "Evan": zone_where_it_is(EVENING)},
        schedule={**OPEN_SCHEDULE, "windows": windows},
    )
    campaign.customer.client.post(f"{campaign.path}/start")
    wait_for(lambda: campaign.leads()["Evan"]["state"] == "completed", what="the call to the evening", within_s=40)
    a_claim_later(up)
    return campaign


def test_only_people_within_their_own_calling_hours_are_called(timed: Campaign) -> None:
    assert len(timed.dials("Evan")) == 1
    assert timed.dials("Nora") == []
    assert timed.show()["status"] == "running"


def test_the_list_says_until_when_the_others_wait(timed: Campaign) -> None:
    nora = timed.leads()["Nora"]
    assert (nora["state"], nora["attempts_used"], nora["zone_source"]) == ("pending", 0, "lead")
    assert nora["why"]["code"] == "OUTSIDE_WINDOW"
    opens_at = datetime.fromisoformat(nora["next_attempt_at"])
    assert nora["next_attempt_at"] == nora["why"]["until"]
    assert (opens_at + offset_where_it_is(NOON)).strftime("%H:%M:%S") == "14:00:00"
    assert timedelta(0) < opens_at - datetime.now(UTC) <= timedelta(hours=2)


def test_nobody_is_called_before_a_campaigns_start(bounded_campaign: Campaign) -> None:
    wait_for(lambda: bounded_campaign.dials("Zara") and bounded_campaign.dials("Zeno"), what="the first dials")
    created_at = datetime.fromisoformat(bounded_campaign.show()["created_at"])
    first = min(dial["at"] for name in bounded_campaign.numbers for dial in bounded_campaign.dials(name))
    assert first >= (created_at + BEGINS_IN).timestamp() - 1


def test_at_a_campaigns_end_whoever_waits_is_not_called_any_more(bounded_campaign: Campaign) -> None:
    wait_for(lambda: bounded_campaign.show()["status"] == "completed", what="the campaign's end", within_s=90)
    assert bounded_campaign.show()["status_reason"] == "end_at_reached"
    leads = bounded_campaign.leads()
    assert {name: lead["state"] for name, lead in leads.items()} == {"Zara": "completed", "Zeno": "expired"}
    assert leads["Zeno"]["next_attempt_at"] is None
    assert leads["Zeno"]["why"]["code"] == "CAMPAIGN_ENDED"
    assert len(bounded_campaign.dials("Zeno")) == 1


def test_such_a_campaign_tells_its_webhook_of_its_start_and_end_once(bounded_campaign: Campaign) -> None:
    def told() -> Counter[str]:
        return Counter(event.type for event in bounded_campaign.events() if event.type.startswith("campaign."))

    wait_for(lambda: told()["campaign.completed"], what="campaign.completed", within_s=90)
    assert told() == {"campaign.started": 1, "campaign.completed": 1}


def offset_where_it_is(hour: int) -> timedelta:
    """Return the offset from UTC of a place where it is now between this hour and the next."""
    ahead = (hour - datetime.now(UTC).hour) % 24
    return timedelta(hours=ahead if ahead <= NOON else ahead - 24)


def zone_where_it_is(hour: int) -> str:
    """Name a zone of that offset; zones called Etc/GMT count westward."""
    ahead = int(offset_where_it_is(hour) / timedelta(hours=1))
    return f"Etc/GMT{-ahead:+d}"
