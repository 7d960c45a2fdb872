"""The ids in paths. What is not a UUID is no resource of ours: the router answers 404."""

from uuid import UUID

from schema.wire import Wire


class CallPath(Wire):
    """A call of the account."""

    call_id: UUID


class CampaignPath(Wire):
    """A campaign of the account."""

    campaign_id: UUID


class LeadPath(Wire):
    """A lead of the account."""

    lead_id: UUID


class SuppressionPath(Wire):
    """A suppressed number of the account."""

    suppression_id: UUID
