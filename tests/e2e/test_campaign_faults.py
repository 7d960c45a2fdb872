"""Faults inside a campaign: what each lead's attempt came to, and when the rules try again."""

from datetime import datetime, timedelta

import pytest

from tests.e2e.campaign import Campaign, create_campaign
from tests.installation import Installation, Json
from tests.waiting import wait_for

BUSY_AGAIN = timedelta(minutes=1)
REFUSED_AGAIN = timedelta(seconds=30)


@pytest.fixture(scope="module")
def troubled(up: Installation) -> Campaign:
    """A campaign whose first attempts are over, stopped before the second ones."""
    people = {"Tara": "busy", "Ugo": "brief", "Vera": "brief", "Walt": "brief"}
    campaign = create_campaign(up, up.customer(), people)
    up.world.arm("twilio", "create", "refuse", number=campaign.numbers["Ugo"], status=429)
    up.world.arm("twilio", "create", "refuse", number=campaign.numbers["Walt"], status=400, code=21211)
    up.world.arm("openai_realtime", "response", "close", contains="appointment of Vera tomorrow", after_ms=400)
    campaign.customer.client.post(f"{campaign.path}/start")
    wait_for(lambda: all(lead["last_outcome"] for lead in campaign.leads().values()), what="the first attempts")
    return campaign


@pytest.fixture(scope="module")
def planned(troubled: Campaign) -> dict[str, Json]:
    """Where each lead stood after its first attempt; the campaign is stopped then."""
    leads = troubled.leads()
    troubled.customer.client.post(f"{troubled.path}/stop")
    return leads


def test_a_busy_line_spends_an_attempt_and_waits_for_the_plans_delay(
    troubled: Campaign, planned: dict[str, Json]
) -> None:
    assert standing(planned["Tara"]) == ("retry_wait", 1, "busy")
    assert BUSY_AGAIN <= waits(troubled, planned["Tara"]) < 2 * BUSY_AGAIN
    assert planned["Tara"]["why"]["code"] == "RETRY_DELAY"


def test_a_refusal_of_the_carrier_spends_nothing_and_backs_off(troubled: Campaign, planned: dict[str, Json]) -> None:
    assert standing(planned["Ugo"]) == ("retry_wait", 0, "carrier_refused")
    assert REFUSED_AGAIN <= waits(troubled, planned["Ugo"]) < BUSY_AGAIN


def test_a_failure_of_the_model_spends_an_attempt_and_is_tried_again_as_failed(
    troubled: Campaign, planned: dict[str, Json]
) -> None:
    assert standing(planned["Vera"]) == ("retry_wait", 1, "failed")
    assert BUSY_AGAIN <= waits(troubled, planned["Vera"]) < 2 * BUSY_AGAIN
    assert call_of(troubled, planned["Vera"])["end_reason"] == "error.provider.closed"


def test_a_number_that_does_not_exist_is_given_up_at_once(planned: dict[str, Json]) -> None:
    assert standing(planned["Walt"]) == ("exhausted", 1, "invalid_number")
    assert planned["Walt"]["next_attempt_at"] is None
    assert planned["Walt"]["why"]["code"] == "PERMANENT_FAILURE"


def test_nothing_of_all_that_is_charged_or_stays_reserved(troubled: Campaign, planned: dict[str, Json]) -> None:
    assert len(planned) == len(troubled.numbers)
    balance = troubled.customer.client.get("/v1/account/balance")
    assert (balance["used"], balance["reserved"]) == (0, 0)


def test_every_failure_was_told_of_once(troubled: Campaign, planned: dict[str, Json]) -> None:
    wait_for(lambda: len(failures(troubled)) >= len(planned), what="call.failed of every lead")
    assert sorted(failures(troubled)) == sorted(str(lead["last_call_id"]) for lead in planned.values())


def standing(lead: Json) -> tuple[str, int, str]:
    """Return a lead's state, attempts used and last outcome."""
    return lead["state"], lead["attempts_used"], lead["last_outcome"]


def call_of(campaign: Campaign, lead: Json) -> Json:
    """Return a lead's last call."""
    return campaign.customer.client.get(f"/v1/calls/{lead['last_call_id']}")


def waits(campaign: Campaign, lead: Json) -> timedelta:
    """Return the time from the end of the last call to the planned next one."""
    ended_at = datetime.fromisoformat(call_of(campaign, lead)["end_at"])
    return datetime.fromisoformat(lead["next_attempt_at"]) - ended_at


def failures(campaign: Campaign) -> list[str]:
    """Return the calls the webhook was told of as failed."""
    return [event.data["call_id"] for event in campaign.events() if event.type == "call.failed"]
