"""Rules on room for one more call: quota, caps of account, campaign and caller ids, the carrier's rate, media slots.

Room frees when others finish, so none of these reasons says until when. The numbers are counted by whoever asks.
"""

from dispatcher.rules.case import Case, blocked
from dispatcher.rules.facts import Reason
from schema.reasons import ReasonCode


def quota(case: Case) -> Reason | None:
    """Wait for call seconds in the account's balance and in the campaign's budget."""
    capacity, hold_s = case.capacity, case.policy.hold_s
    if capacity.quota_available_s < hold_s:
        return blocked(ReasonCode.QUOTA, available_s=capacity.quota_available_s, hold_s=hold_s)
    if capacity.campaign_quota_free_s is not None and capacity.campaign_quota_free_s < hold_s:
        return blocked(ReasonCode.QUOTA, campaign_quota_free_s=capacity.campaign_quota_free_s, hold_s=hold_s)
    return None


def tenant_cap(case: Case) -> Reason | None:
    """Wait for room under the account's caps."""
    capacity = case.capacity
    if capacity.account_live_free > 0 and capacity.account_starts_free > 0:
        return None
    return blocked(
        ReasonCode.TENANT_CAP, live_free=capacity.account_live_free, starts_free=capacity.account_starts_free
    )


def campaign_cap(case: Case) -> Reason | None:
    """Wait for room under the campaign's caps."""
    capacity = case.capacity
    day_free = capacity.campaign_day_free
    if capacity.campaign_live_free > 0 and capacity.campaign_starts_free > 0 and (day_free is None or day_free > 0):
        return None
    return blocked(
        ReasonCode.CAMPAIGN_CAP,
        live_free=capacity.campaign_live_free,
        starts_free=capacity.campaign_starts_free,
        day_free=day_free,
    )


def number_cap(case: Case) -> Reason | None:
    """Wait for a caller id below its caps."""
    free = case.capacity.caller_ids_free
    return blocked(ReasonCode.NUMBER_CAP, caller_ids_free=free) if free <= 0 else None


def carrier_rate(case: Case) -> Reason | None:
    """Wait for the carrier's next second."""
    free = case.capacity.carrier_starts_free
    return blocked(ReasonCode.CPS, carrier_starts_free=free) if free is not None and free <= 0 else None


def media_full(case: Case) -> Reason | None:
    """Wait for a free slot on a media worker."""
    free = case.capacity.media_free
    return blocked(ReasonCode.MEDIA_FULL, media_free=free) if free <= 0 else None
