"""Call seconds: one balance row per account and an append-only, double-entry ledger.

The check constraint is the invariant granted = available + held + spent; the unique key lets
each hold begin and end once. `campaign_spend` is a campaign's own share of held and spent, for its budget.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    text,
)

from schema.tables.metadata import (
    Uuid,
    closed,
    created_at_column,
    metadata,
    state_column,
    updated_at_column,
)


class EntryKind(StrEnum):
    """grant: outside → available. hold: available → held. settle: held → spent. release: held → available."""

    GRANT = "grant"
    HOLD = "hold"
    SETTLE = "settle"
    RELEASE = "release"


quota_accounts = Table(
    "quota_accounts",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("granted_s", BigInteger, nullable=False, server_default="0"),
    Column("available_s", BigInteger, nullable=False, server_default="0"),
    Column("held_s", BigInteger, nullable=False, server_default="0"),
    Column("spent_s", BigInteger, nullable=False, server_default="0"),
    updated_at_column(),
    CheckConstraint("granted_s = available_s + held_s + spent_s", name="balanced"),
    CheckConstraint("available_s >= 0 and held_s >= 0 and spent_s >= 0", name="not_negative"),
)

campaign_spend = Table(
    "campaign_spend",
    metadata,
    Column("campaign_id", Uuid, ForeignKey("campaigns.id"), primary_key=True),
    Column("held_s", BigInteger, nullable=False, server_default="0"),
    Column("spent_s", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("held_s >= 0 and spent_s >= 0", name="not_negative"),
)

quota_entries = Table(
    "quota_entries",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("campaign_id", Uuid, nullable=True),
    Column("call_id", Uuid, nullable=True),
    state_column("kind"),
    Column("amount_s", BigInteger, nullable=False),
    Column("note", Text, nullable=True),
    created_at_column(),
    closed("kind", EntryKind),
    CheckConstraint("amount_s >= 0", name="amount_not_negative"),
    Index(
        "uq_quota_entries_call_kind",
        "call_id",
        "kind",
        unique=True,
        postgresql_where=text("call_id is not null"),
    ),
    Index("ix_quota_entries_account_id_id", "account_id", "id"),
    Index("ix_quota_entries_campaign_id", "campaign_id"),
)
