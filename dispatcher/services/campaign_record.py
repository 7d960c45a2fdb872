"""The public record of a campaign and its statistics, as webhooks and the stats page show them.

Decides names and units only; what is counted is `dispatcher.store.campaign_facts`.
"""

from uuid import UUID

from dispatcher.store.campaign_facts import CampaignFacts, campaign_facts
from dispatcher.store.db import Tx
from schema.records import CampaignRecord, CampaignStats

_MINUTE_DIGITS = 4


def campaign_record(tx: Tx, campaign_id: UUID) -> CampaignRecord | None:
    """Build the record of one campaign; None when there is none."""
    facts = campaign_facts(tx, campaign_id)
    if facts is None:
        return None
    return CampaignRecord(
        campaign_id=facts.campaign_id,
        name=facts.name,
        status=facts.status,
        status_reason=facts.status_reason,
        stats=_stats(facts),
    )


def _stats(facts: CampaignFacts) -> CampaignStats:
    return CampaignStats(
        leads_total=sum(facts.enrolments.values()),
        leads={state.value: count for state, count in facts.enrolments.items()},
        calls_total=facts.calls_total,
        calls_live=facts.calls_live,
        calls_connected=facts.calls_connected,
        outcomes=facts.outcomes,
        dispositions=facts.dispositions,
        minutes_talked=round(facts.talked_s / 60, _MINUTE_DIGITS),
        minutes_billed=round(facts.billed_s / 60, _MINUTE_DIGITS),
    )
