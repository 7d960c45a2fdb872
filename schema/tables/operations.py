"""What keeps the machine honest: webhook outbox, media workers' heartbeats, the ticks of beat, whose turn it is."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from schema.events import DeliveryStatus
from schema.tables.metadata import (
    At,
    Json,
    Uuid,
    closed,
    created_at_column,
    id_column,
    metadata,
    state_column,
)

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("call_id", Uuid, nullable=True),
    Column("campaign_id", Uuid, nullable=True),
    Column("event_type", Text, nullable=False),
    Column("dedupe_key", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("payload", Json, nullable=False),
    state_column("status", server_default=DeliveryStatus.PENDING.value),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", At, nullable=False, server_default=text("now()")),
    Column("lease_token", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", At, nullable=True),
    Column("last_tried_at", At, nullable=True),
    Column("last_status_code", Integer, nullable=True),
    Column("last_error", Text, nullable=True),
    created_at_column(),
    Column("delivered_at", At, nullable=True),
    closed("status", DeliveryStatus),
    Index(
        "ix_deliveries_lane",
        "account_id",
        "host",
        "due_at",
        "seq",
        postgresql_where=text("status = 'pending'"),
    ),
    Index(
        "ix_deliveries_leased",
        "account_id",
        "host",
        "lease_until",
        postgresql_where=text("status = 'pending' and lease_until is not null"),
    ),
    Index(
        "ix_deliveries_troubled",
        "account_id",
        "host",
        postgresql_where=text("status = 'pending' and tries > 0"),
    ),
    Index(
        "ix_deliveries_gone",
        "account_id",
        "url",
        "last_tried_at",
        postgresql_where=text("last_status_code = 410"),
    ),
    Index("ix_deliveries_call_id", "call_id"),
    Index("ix_deliveries_account_id_seq", "account_id", "seq"),
)

media_workers = Table(
    "media_workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("draining", Boolean, nullable=False, server_default=text("false")),
    Column("started_at", At, nullable=False, server_default=text("now()")),
    Column("heartbeat_at", At, nullable=False, server_default=text("now()"), index=True),
)

ticks = Table(
    "ticks",
    metadata,
    Column("job", Text, primary_key=True),
    Column("tick_at", At, primary_key=True),
    Column("ran_at", At, nullable=False, server_default=text("now()")),
)

fair_turns = Table(
    "fair_turns",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("cursor", BigInteger, nullable=False, server_default="0"),
)
