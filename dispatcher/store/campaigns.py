"""Campaigns and the versions of their rules as stored.

A version is written once and never changed; the campaign points to the one it follows. Moving it
from status to status is `dispatcher.store.campaign_status`.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update

from dispatcher.store.db import Tx
from dispatcher.store.slices import Slice, Sliced, newest_first, sliced
from schema.call_config import CallConfig
from schema.policy import PolicyBody
from schema.states import CampaignStatus, StatusReason
from schema.tables import campaigns, policy_versions


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """One campaign with the rules it follows."""

    campaign_id: UUID
    account_id: UUID
    name: str
    status: CampaignStatus
    status_reason: StatusReason | None
    policy_version_id: UUID
    version: int
    body: PolicyBody
    start_at: datetime | None
    end_at: datetime | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class Keep(Enum):
    """STATUS: claims and takes go on, nobody moves it. ALL: nobody acts on its status until the commit."""

    STATUS = "share"
    ALL = "no key update"


_CAMPAIGNS = select(campaigns, policy_versions.c.version, policy_versions.c.body).join(
    policy_versions, policy_versions.c.id == campaigns.c.policy_version_id
)


def add_campaign(tx: Tx, account_id: UUID, name: str, body: PolicyBody) -> UUID:
    """Create a draft with the first version of its rules."""
    values = {
        "account_id": account_id,
        "name": name,
        "start_at": body.schedule.start_at,
        "end_at": body.schedule.end_at,
        "weight": body.pacing.weight,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    campaign_id: UUID = tx.connection.execute(insert(campaigns).values(values).returning(campaigns.c.id)).scalar_one()
    stored = stored_body(body)
    version_id = tx.connection.execute(
        insert(policy_versions)
        .values(
            account_id=account_id,
            campaign_id=campaign_id,
            version=1,
            body=stored,
            body_hash=hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).digest(),
            created_at=tx.now,
        )
        .returning(policy_versions.c.id)
    ).scalar_one()
    tx.connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(policy_version_id=version_id))
    return campaign_id


def find_campaign(tx: Tx, account_id: UUID, campaign_id: UUID, *, keep: Keep | None = None) -> StoredCampaign | None:
    """Read one campaign of the account; `keep` says what others may do to it until the commit."""
    query = _CAMPAIGNS.where(campaigns.c.account_id == account_id, campaigns.c.id == campaign_id)
    if keep is not None:
        query = query.with_for_update(of=campaigns, read=keep is Keep.STATUS, key_share=keep is Keep.ALL)
    row = tx.connection.execute(query).mappings().one_or_none()
    return None if row is None else _campaign(row)


def list_campaigns(tx: Tx, account_id: UUID, status: CampaignStatus | None, slice_: Slice) -> Sliced[StoredCampaign]:
    """Read one slice of the account's campaigns, newest first."""
    query = _CAMPAIGNS.where(campaigns.c.account_id == account_id)
    if status is not None:
        query = query.where(campaigns.c.status == status)
    rows = tx.connection.execute(newest_first(query, campaigns, slice_)).mappings().all()
    return sliced([_campaign(row) for row in rows], slice_.limit)


def stored_body(body: PolicyBody) -> dict[str, object]:
    """Write rules out in full, so that a later default does not change them."""
    stored = body.model_dump(mode="json", include=set(PolicyBody.model_fields))
    return {**stored, "call_config": stored_config(body.call_config)}


def stored_config(config: CallConfig) -> dict[str, object]:
    """Write a call's configuration out in full.

    Fields of the legacy mode that were not given stay out: a realtime configuration refuses them.
    """
    stored = config.model_dump(mode="json")
    return {
        name: value
        for name, value in stored.items()
        if name in config.model_fields_set or not name.startswith(("stt_", "tts_"))
    }


def _campaign(row: RowMapping) -> StoredCampaign:
    return StoredCampaign(
        campaign_id=row["id"],
        account_id=row["account_id"],
        name=row["name"],
        status=CampaignStatus(row["status"]),
        status_reason=StatusReason(row["status_reason"]) if row["status_reason"] else None,
        policy_version_id=row["policy_version_id"],
        version=row["version"],
        body=PolicyBody.model_validate(row["body"]),
        start_at=row["start_at"],
        end_at=row["end_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
    )
