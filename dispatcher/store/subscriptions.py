"""Where the events of a call or a campaign are wanted: the webhook URLs written in their configuration.

Reads what the account wrote, as it wrote it; who gets which event by default is `schema.events`.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from dispatcher.store.db import Tx
from schema.events import DEFAULT_CALL_EVENTS, EventType
from schema.tables import calls, campaigns, policy_versions

DEFAULT_CAMPAIGN_EVENTS = frozenset(
    {*DEFAULT_CALL_EVENTS, *(event for event in EventType if event.value.startswith("campaign."))}
)
"""What a campaign's own `webhook_url` receives when its `webhook_events` does not say."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A URL and the events it wants, within one account."""

    account_id: UUID
    campaign_id: UUID | None
    url: str
    events: frozenset[EventType]


def call_subscribers(tx: Tx, call_id: UUID) -> tuple[Subscriber, ...]:
    """List who wants a call's events: its own `webhook_url`, then its campaign's."""
    own, policy = calls.c.config, policy_versions.c.body
    row = tx.connection.execute(
        select(
            calls.c.account_id,
            calls.c.campaign_id,
            own["webhook_url"].astext.label("own_url"),
            own["webhook_events"].label("own_events"),
            policy["webhook_url"].astext.label("campaign_url"),
            policy["webhook_events"].label("campaign_events"),
        )
        .select_from(calls.outerjoin(policy_versions, policy_versions.c.id == calls.c.policy_version_id))
        .where(calls.c.id == call_id)
    ).one_or_none()
    if row is None:
        return ()
    wanted = (
        (row.own_url, _events(row.own_events, frozenset(DEFAULT_CALL_EVENTS))),
        (row.campaign_url, _events(row.campaign_events, DEFAULT_CAMPAIGN_EVENTS)),
    )
    return tuple(Subscriber(row.account_id, row.campaign_id, url, events) for url, events in wanted if url)


def campaign_subscribers(tx: Tx, campaign_id: UUID) -> tuple[Subscriber, ...]:
    """List who wants a campaign's events: the `webhook_url` of its current policy version."""
    body = policy_versions.c.body
    row = tx.connection.execute(
        select(
            campaigns.c.account_id,
            body["webhook_url"].astext.label("url"),
            body["webhook_events"].label("events"),
        )
        .select_from(campaigns.join(policy_versions, policy_versions.c.id == campaigns.c.policy_version_id))
        .where(campaigns.c.id == campaign_id)
    ).one_or_none()
    if row is None or not row.url:
        return ()
    return (Subscriber(row.account_id, campaign_id, row.url, _events(row.events, DEFAULT_CAMPAIGN_EVENTS)),)


def _events(names: list[str] | None, default: frozenset[EventType]) -> frozenset[EventType]:
    return default if names is None else frozenset(EventType(name) for name in names)
