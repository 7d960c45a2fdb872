"""Leads (people) and the suppression list."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from schema.states import LeadStatus
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

leads = Table(
    "leads",
    metadata,
    id_column(),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("name", Text, nullable=True),
    Column("email", Text, nullable=True),
    Column("timezone", Text, nullable=True),
    Column("external_id", Text, nullable=True),
    state_column("status", server_default=LeadStatus.NEW.value),
    Column("notes", Text, nullable=True),
    Column("tags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("metadata", Json, nullable=False, server_default=text("'{}'::jsonb")),
    Column("do_not_call", Boolean, nullable=False, server_default=text("false")),
    Column("attempts_total", Integer, nullable=False, server_default="0"),
    Column("last_called_at", At, nullable=True),
    Column("converted_at", At, nullable=True),
    created_at_column(),
    updated_at_column(),
    UniqueConstraint("account_id", "phone_number"),
    closed("status", LeadStatus),
    Index("ix_leads_account_id_created_at_id", "account_id", "created_at", "id"),
)

suppressions = Table(
    "suppressions",
    metadata,
    id_column(),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=True),
    Column("until", At, nullable=True),
    created_at_column(),
    UniqueConstraint("account_id", "phone_number"),
)
