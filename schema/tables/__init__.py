"""The Postgres tables, one module per aggregate. Imported by `dispatcher.store` and the migrations only."""

from schema.tables.accounts import accounts, api_keys, idempotency_keys
from schema.tables.calls import call_events, calls, turns
from schema.tables.campaigns import campaigns, enrolments, policy_versions
from schema.tables.leads import leads, suppressions
from schema.tables.metadata import metadata
from schema.tables.operations import deliveries, fair_turns, media_workers, ticks
from schema.tables.quota import campaign_spend, quota_accounts, quota_entries

__all__ = [
    "accounts",
    "api_keys",
    "call_events",
    "calls",
    "campaign_spend",
    "campaigns",
    "deliveries",
    "enrolments",
    "fair_turns",
    "idempotency_keys",
    "leads",
    "media_workers",
    "metadata",
    "policy_versions",
    "quota_accounts",
    "quota_entries",
    "suppressions",
    "ticks",
    "turns",
]
