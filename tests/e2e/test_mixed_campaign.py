"""A campaign over people of all kinds, from its start to its end."""

from collections import Counter
from datetime import datetime

import pytest

from tests.e2e.campaign import FATES, Campaign
from tests.waiting import wait_for

END_WITHIN_S = 110
REFUSED_AGAIN_S = 30
BUSY_AGAIN_S = 60

pytestmark = pytest.mark.usefixtures("_ended")


@pytest.fixture(scope="module")
def _ended(mixed_campaign: Campaign) -> None:
    """Wait for the campaign's end, and for the reports on its calls."""
    wait_for(lambda: mixed_campaign.show()["status"] == "completed", what="end of the campaign", within_s=END_WITHIN_S)
    wait_for(lambda: all(call["completed"] for call in mixed_campaign.calls()), what="reports on all calls")


def test_the_campaign_ends_by_itself_when_everybody_is_done(mixed_campaign: Campaign) -> None:
    campaign = mixed_campaign.show()
    assert campaign["status_reason"] == "all_leads_done"
    assert campaign["completed_at"] is not None


def test_the_list_of_leads_explains_where_each_ended_and_why(mixed_campaign: Campaign) -> None:
    leads = mixed_campaign.leads()
    shown = {name: (lead["state"], lead["attempts_used"], lead["why"]["code"]) for name, lead in leads.items()}
    assert shown == {name: (fate.state, fate.attempts, fate.why) for name, fate in FATES.items()}
    assert all(lead["why"]["text"] and lead["why"]["fix"] for lead in leads.values())
    last = {name: lead["last_outcome"] for name, lead in leads.items()}
    assert last == {name: fate.outcomes[-1] if fate.outcomes else None for name, fate in FATES.items()}


def test_the_carrier_was_asked_for_each_lead_as_often_as_the_rules_allow(mixed_campaign: Campaign) -> None:
    dials = {name: len(mixed_campaign.dials(name)) for name in FATES}
    assert dials == {name: fate.dials for name, fate in FATES.items()}


def test_no_second_attempt_came_before_its_delay(mixed_campaign: Campaign) -> None:
    gaps = {name: _gap_s(mixed_campaign, name) for name, fate in FATES.items() if fate.dials > 1}
    assert gaps["Bert"] >= BUSY_AGAIN_S
    assert gaps["Ines"] >= BUSY_AGAIN_S
    assert gaps["Hugo"] >= REFUSED_AGAIN_S


def test_every_call_has_the_outcome_its_person_made_of_it(mixed_campaign: Campaign) -> None:
    names = {number: name for name, number in mixed_campaign.numbers.items()}
    outcomes: dict[str, list[str]] = {name: [] for name in FATES}
    for call in mixed_campaign.calls():
        outcomes[names[call["phone_number"]]].append(call["outcome"])
    assert outcomes == {name: list(fate.outcomes) for name, fate in FATES.items()}


def test_attempts_are_numbered_and_a_refused_one_is_counted_again(mixed_campaign: Campaign) -> None:
    attempts = {
        name: [call["attempt_number"] for call in mixed_campaign.calls() if call["phone_number"] == number]
        for name, number in mixed_campaign.numbers.items()
    }
    assert attempts["Bert"] == [1, 2]
    assert attempts["Ines"] == [1, 2]
    assert attempts["Hugo"] == [1, 1]


def test_the_people_are_known_as_what_they_became(mixed_campaign: Campaign) -> None:
    people = {lead["name"]: lead for lead in mixed_campaign.customer.client.pages("/v1/leads")}
    assert {name: person["status"] for name, person in people.items()} == {n: f.status for n, f in FATES.items()}
    assert {name: person["attempts_total"] for name, person in people.items()} == {
        name: fate.attempts for name, fate in FATES.items()
    }
    suppressed = {row["phone_number"] for row in mixed_campaign.customer.client.pages("/v1/suppressions")}
    assert suppressed == {mixed_campaign.numbers["Emil"], mixed_campaign.numbers["Gina"]}


def test_the_statistics_add_up(mixed_campaign: Campaign) -> None:
    stats, calls = mixed_campaign.show()["stats"], mixed_campaign.calls()
    states = Counter(fate.state for fate in FATES.values())
    assert {state: count for state, count in stats["leads"].items() if count} == states
    assert stats["leads_total"] == len(FATES)
    assert stats["outcomes"] == Counter(outcome for fate in FATES.values() for outcome in fate.outcomes)
    assert stats["dispositions"] == Counter(call["disposition"] for call in calls)
    assert stats["calls_total"] == len(calls)
    assert stats["calls_live"] == 0
    assert stats["calls_connected"] == sum(call["status"] == "completed" for call in calls)
    assert stats["minutes_billed"] == pytest.approx(sum(call["billed_minutes"] for call in calls), abs=1e-3)
    assert stats["minutes_talked"] == pytest.approx(sum(call["duration"] for call in calls), abs=1e-3)


def test_the_account_paid_for_what_was_talked_and_nothing_is_reserved(mixed_campaign: Campaign) -> None:
    balance = mixed_campaign.customer.client.get("/v1/account/balance")
    assert balance["reserved"] == 0
    assert balance["used"] == pytest.approx(mixed_campaign.show()["stats"]["minutes_billed"], abs=0.011)


def test_the_webhook_heard_of_the_end_once_and_of_every_call_once(mixed_campaign: Campaign) -> None:
    calls = mixed_campaign.calls()
    wait_for(lambda: len(mixed_campaign.events()) >= len(calls) + 2, what="webhooks of all calls")
    events = mixed_campaign.events()
    failed = sum(call["status"] == "failed" for call in calls)
    assert Counter(event.type for event in events) == {
        "campaign.started": 1,
        "campaign.completed": 1,
        "call.failed": failed,
        "call.completed": len(calls) - failed,
    }
    told = [event.data["call_id"] for event in events if event.type.startswith("call.")]
    assert sorted(told) == sorted(call["call_id"] for call in calls)
    ended = next(event for event in events if event.type == "campaign.completed")
    assert ended.data["status"] == "completed"
    assert ended.data["stats"] == mixed_campaign.show()["stats"]


def test_the_agent_greeted_each_person_by_name(mixed_campaign: Campaign) -> None:
    heard = {
        name: " ".join(call["heard_text"] for call in mixed_campaign.up.world.calls(to=number))
        for name, number in mixed_campaign.numbers.items()
    }
    spoken_to = [name for name, fate in FATES.items() if "human" in fate.outcomes]
    assert [name for name in spoken_to if f"hello {name.lower()}, this is sarah." in heard[name]] == spoken_to


def _gap_s(campaign: Campaign, name: str) -> float:
    """Return the time from the end of the first attempt to the second dial."""
    first = next(call for call in campaign.calls() if call["phone_number"] == campaign.numbers[name])
    ended_at = datetime.fromisoformat(first["end_at"]).timestamp()
    return float(campaign.dials(name)[1]["at"]) - ended_at
