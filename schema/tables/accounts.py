"""Accounts (tenants), their API keys and the replies kept for idempotent requests."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from schema.tables.metadata import (
    At,
    Json,
    Uuid,
    created_at_column,
    id_column,
    metadata,
)

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False, server_default="UTC"),
    Column("from_number", Text, nullable=True),
    Column("max_concurrent_calls", Integer, nullable=False, server_default="10"),
    Column("max_calls_per_minute", Integer, nullable=False, server_default="60"),
    Column("rounding_s", Integer, nullable=False, server_default="1"),
    Column("webhook_secret", Text, nullable=False),
    created_at_column(),
)

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    created_at_column(),
    Column("revoked_at", At, nullable=True),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response_status", Integer, nullable=True),
    Column("response_body", Json, nullable=True),
    Column("locked_until", At, nullable=False),
    Column("expires_at", At, nullable=False, index=True),
    Column("created_at", At, nullable=False, server_default=text("now()")),
)
