"""Campaigns paused, resumed and stopped while people are on the phone; faults inside a campaign and what it plans."""

import pytest

from tests.e2e.campaign import Campaign, create_campaign
from tests.e2e.client import a_claim_later, answer_of
from tests.installation import Installation, Json
from tests.waiting import wait_for

ONE_AT_A_TIME = {"max_concurrent_calls": 1, "calls_per_minute": 1_000}
ALL_EVENTS = [
    *("call.completed", "call.failed", "call.cancelled"),
    *("campaign.started", "campaign.paused", "campaign.resumed", "campaign.completed", "campaign.stopped"),
]
STOP_WITHIN_S = 15


@pytest.fixture(scope="module")
def paused(up: Installation) -> Campaign:
    """A campaign paused while its first lead is on the phone and two others wait."""
    campaign = start(up, {"Olga": "talker", "Paul": "talker", "Quin": "talker"})
    wait_for(lambda: states(campaign)["Olga"] == "in_call", what="the first lead on the phone")
    move(campaign, "pause")
    return campaign


def test_a_pause_lets_the_live_call_go_on_and_dials_nobody_else(paused: Campaign) -> None:
    assert paused.show()["status"] == "paused"
    [live] = paused.up.world.calls(to=paused.numbers["Olga"])
    assert live["live"]
    stop_call(paused, "Olga")
    a_claim_later(paused.up)
    assert dialled(paused) == {"Olga"}
    assert {name: paused.leads()[name]["why"]["code"] for name in ("Paul", "Quin")} == dict.fromkeys(
        ("Paul", "Quin"), "PAUSED"
    )


def test_a_resumed_campaign_dials_the_next_and_only_the_next(paused: Campaign) -> None:
    move(paused, "resume")
    wait_for(lambda: states(paused)["Paul"] == "in_call", what="the second lead on the phone")
    assert dialled(paused) == {"Olga", "Paul"}


def test_a_stop_with_hang_up_ends_the_live_call_and_calls_nobody_any_more(paused: Campaign) -> None:
    move(paused, "stop?hangup=true")
    call = live_call(paused, "Paul")
    ended = paused.customer.ended(call["call_id"], STOP_WITHIN_S)
    assert ended["end_reason"] == "campaign_stopped"
    assert paused.show()["status"] == "cancelled"
    a_claim_later(paused.up)
    assert dialled(paused) == {"Olga", "Paul"}
    assert states(paused)["Quin"] == "cancelled"
    assert paused.leads()["Quin"]["why"]["code"] == "CAMPAIGN_ENDED"
    assert paused.customer.client.get("/v1/account/balance")["reserved"] == 0


def test_its_webhook_was_told_of_every_move_once(paused: Campaign) -> None:
    wait_for(lambda: "campaign.stopped" in told(paused), what="campaign.stopped")
    assert told(paused) == ["campaign.started", "campaign.paused", "campaign.resumed", "campaign.stopped"]


def test_a_stop_without_hang_up_lets_the_live_call_finish(up: Installation) -> None:
    campaign = start(up, {"Rosa": "brief", "Saul": "brief"})
    wait_for(lambda: dialled(campaign), what="the first dial")
    move(campaign, "stop")
    [name] = dialled(campaign)
    ended = campaign.customer.ended(live_call(campaign, name)["call_id"])
    assert (ended["outcome"], ended["end_reason"]) == ("human", "agent_end_call")
    [other] = set(campaign.numbers) - {name}
    assert states(campaign) == {name: "completed", other: "cancelled"}
    assert dialled(campaign) == {name}


def test_a_campaign_that_is_over_cannot_be_resumed(paused: Campaign) -> None:
    answer = answer_of(paused.customer, "POST", f"{paused.path}/resume")
    assert (answer.status_code, answer.json()["current_status"]) == (409, "cancelled")


def start(up: Installation, people: dict[str, str], **changes: object) -> Campaign:
    """Start a campaign that calls one person at a time."""
    settings: Json = {"pacing": ONE_AT_A_TIME, "webhook_events": ALL_EVENTS, **changes}
    campaign = create_campaign(up, up.customer(), people, **settings)
    move(campaign, "start")
    return campaign


def move(campaign: Campaign, how: str) -> None:
    """Move the campaign."""
    campaign.customer.client.post(f"{campaign.path}/{how}")


def states(campaign: Campaign) -> dict[str, str]:
    """Return the state of each lead."""
    return {name: lead["state"] for name, lead in campaign.leads().items()}


def dialled(campaign: Campaign) -> set[str]:
    """Return the leads the carrier was asked for."""
    return {name for name in campaign.numbers if campaign.dials(name)}


def told(campaign: Campaign) -> list[str]:
    """Return the campaign's own events, in order."""
    return [event.type for event in campaign.events() if event.type.startswith("campaign.")]


def live_call(campaign: Campaign, name: str) -> Json:
    """Return a lead's only call."""
    [call] = [call for call in campaign.calls() if call["phone_number"] == campaign.numbers[name]]
    return call


def stop_call(campaign: Campaign, name: str) -> None:
    """End a lead's call and wait for its end."""
    call_id = live_call(campaign, name)["call_id"]
    campaign.customer.client.post(f"/v1/calls/{call_id}/stop")
    campaign.customer.ended(call_id, STOP_WITHIN_S)
