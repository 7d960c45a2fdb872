"""Policy versions as the dispatcher reads them, and the campaign's hold on its status.

A version never changes. Sharing a campaign's lock keeps its status and version from changing until the commit while
other claims and takes go on. Writing campaigns is `dispatcher.store.campaigns`.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql
from schema.policy import PolicyBody
from schema.states import CampaignStatus
from schema.tables import policy_versions

_SHARE = sql("select status, policy_version_id from campaigns where id = :campaign_id for share")


@dataclass(frozen=True, slots=True)
class CampaignNow:
    """A campaign's status and rules as they stay until the commit."""

    status: CampaignStatus
    policy_version_id: UUID


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One immutable version of a campaign's rules."""

    policy_version_id: UUID
    campaign_id: UUID
    body: PolicyBody


def campaign_now(tx: Tx, campaign_id: UUID) -> CampaignNow:
    """Read a campaign's status and version, and keep them from changing until the commit."""
    row = tx.connection.execute(_SHARE, {"campaign_id": campaign_id}).one()
    return CampaignNow(CampaignStatus(row.status), row.policy_version_id)


def read_version(tx: Tx, policy_version_id: UUID) -> PolicyVersion:
    """Read one policy version.

    Raises:
        NoResultFound: there is no such version.
    """
    query = select(policy_versions.c.id, policy_versions.c.campaign_id, policy_versions.c.body)
    row = tx.connection.execute(query.where(policy_versions.c.id == policy_version_id)).one()
    return PolicyVersion(row.id, row.campaign_id, PolicyBody.model_validate(row.body))
