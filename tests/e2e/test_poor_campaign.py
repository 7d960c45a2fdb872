"""A campaign whose account runs out of minutes: it pauses by itself, and goes on when somebody pays."""

from tests.e2e.campaign import Campaign
from tests.waiting import wait_for


def test_a_campaign_that_cannot_pay_for_the_next_call_pauses_and_resumes_with_new_minutes(
    poor_campaign: Campaign,
) -> None:
    wait_for(lambda: poor_campaign.show()["status"] == "paused", what="the pause", within_s=60)
    assert poor_campaign.show()["status_reason"] == "quota_exhausted"
    assert len(poor_campaign.calls()) == 1
    poor_campaign.up.top_up(poor_campaign.customer, minutes=10)
    wait_for(lambda: poor_campaign.show()["status"] == "completed", what="the end", within_s=60)
    assert [call["outcome"] for call in poor_campaign.calls()] == ["human", "human"]
    wait_for(lambda: "campaign.completed" in _told(poor_campaign), what="campaign.completed")
    assert _told(poor_campaign) == ["campaign.started", "campaign.paused", "campaign.resumed", "campaign.completed"]


def _told(campaign: Campaign) -> list[str]:
    return [event.type for event in campaign.events() if event.type.startswith("campaign.")]
