"""Campaigns, their immutable policy versions and the enrolments of leads in them.

Who waits is indexed by due time, everybody else by state: no index leads a tick through those who wait but are not due.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from schema.outcomes import Outcome
from schema.states import WAITING_ENROLMENTS, CampaignStatus, EnrolmentState
from schema.tables.metadata import (
    At,
    Json,
    Uuid,
    closed,
    created_at_column,
    id_column,
    metadata,
    state_column,
    updated_at_column,
)

_NOT_WAITING = ", ".join(f"'{state.value}'" for state in EnrolmentState if state not in WAITING_ENROLMENTS)

campaigns = Table(
    "campaigns",
    metadata,
    id_column(),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    state_column("status", server_default=CampaignStatus.DRAFT.value),
    Column("status_reason", Text, nullable=True),
    Column("policy_version_id", Uuid, nullable=True),
    Column("start_at", At, nullable=True),
    Column("end_at", At, nullable=True),
    Column("weight", Integer, nullable=False, server_default="1"),
    created_at_column(),
    updated_at_column(),
    Column("started_at", At, nullable=True),
    Column("completed_at", At, nullable=True),
    closed("status", CampaignStatus),
    Index("ix_campaigns_account_id_created_at_id", "account_id", "created_at", "id"),
    Index(
        "ix_campaigns_active",
        "status",
        postgresql_where=text("status in ('running', 'scheduled')"),
    ),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    id_column(),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("campaign_id", Uuid, ForeignKey("campaigns.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Json, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    created_at_column(),
    UniqueConstraint("campaign_id", "version"),
)

enrolments = Table(
    "enrolments",
    metadata,
    id_column(),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("campaign_id", Uuid, ForeignKey("campaigns.id"), nullable=False),
    Column("lead_id", Uuid, ForeignKey("leads.id"), nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("zones", ARRAY(Text), nullable=False),
    Column("zone_source", Text, nullable=False),
    state_column("state", server_default=EnrolmentState.PENDING.value),
    Column("skip_reason", Text, nullable=True),
    Column("next_due_at", At, nullable=False, server_default=text("now()")),
    Column("callback_at", At, nullable=True),
    Column("attempts_used", Integer, nullable=False, server_default="0"),
    Column("refusals_used", Integer, nullable=False, server_default="0"),
    Column("blocked_by", Text, nullable=True),
    Column("blocked_until", At, nullable=True),
    Column("last_call_id", Uuid, nullable=True),
    Column("last_outcome", Text, nullable=True),
    Column("last_ended_at", At, nullable=True),
    Column("disposition", Text, nullable=True),
    created_at_column(),
    updated_at_column(),
    UniqueConstraint("campaign_id", "lead_id"),
    closed("state", EnrolmentState),
    closed("last_outcome", Outcome),
    Index(
        "ix_enrolments_fresh",
        "campaign_id",
        "next_due_at",
        "seq",
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_enrolments_returning",
        "campaign_id",
        "next_due_at",
        "seq",
        postgresql_where=text("state in ('due', 'retry_wait')"),
    ),
    Index(
        "ix_enrolments_not_waiting",
        "campaign_id",
        "state",
        "seq",
        postgresql_where=text(f"state in ({_NOT_WAITING})"),
    ),
    Index("ix_enrolments_campaign_id_seq", "campaign_id", "seq", postgresql_include=["state"]),
    Index("ix_enrolments_lead_id", "lead_id"),
)
