"""Create the first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


IMMUTABLE_TABLES = ("policy_versions", "quota_entries")
IMMUTABLE_FUNCTION = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% rows never change', tg_table_name using errcode = 'restrict_violation';
end
$$
"""


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("from_number", sa.Text(), nullable=True),
        sa.Column("max_concurrent_calls", sa.Integer(), server_default="10", nullable=False),
        sa.Column("max_calls_per_minute", sa.Integer(), server_default="60", nullable=False),
        sa.Column("rounding_s", sa.Integer(), server_default="1", nullable=False),
        sa.Column("webhook_secret", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "fair_turns",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_fair_turns")),
    )
    op.create_table(
        "media_workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("draining", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_workers")),
    )
    op.create_index(op.f("ix_media_workers_heartbeat_at"), "media_workers", ["heartbeat_at"], unique=False)
    op.create_table(
        "ticks",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("tick_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("job", "tick_at", name=op.f("pk_ticks")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_keys_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index(op.f("ix_api_keys_account_id"), "api_keys", ["account_id"], unique=False)
    op.create_table(
        "campaigns",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("policy_version_id", sa.UUID(), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("weight", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('draft', 'scheduled', 'running', 'paused', 'completed', 'cancelled')",
            name=op.f("ck_campaigns_status_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_campaigns_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(
        "ix_campaigns_account_id_created_at_id", "campaigns", ["account_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_campaigns_active",
        "campaigns",
        ["status"],
        unique=False,
        postgresql_where=sa.text("status in ('running', 'scheduled')"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("call_id", sa.UUID(), nullable=True),
        sa.Column("campaign_id", sa.UUID(), nullable=True),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status_code", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('pending', 'delivered', 'failed', 'disabled')", name=op.f("ck_deliveries_status_known")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_deliveries_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_deliveries_dedupe_key")),
    )
    op.create_index("ix_deliveries_account_id_seq", "deliveries", ["account_id", "seq"], unique=False)
    op.create_index("ix_deliveries_call_id", "deliveries", ["call_id"], unique=False)
    op.create_index(
        "ix_deliveries_gone",
        "deliveries",
        ["account_id", "url", "last_tried_at"],
        unique=False,
        postgresql_where=sa.text("last_status_code = 410"),
    )
    op.create_index(
        "ix_deliveries_lane",
        "deliveries",
        ["account_id", "host", "due_at", "seq"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_deliveries_leased",
        "deliveries",
        ["account_id", "host", "lease_until"],
        unique=False,
        postgresql_where=sa.text("status = 'pending' and lease_until is not null"),
    )
    op.create_index(
        "ix_deliveries_troubled",
        "deliveries",
        ["account_id", "host"],
        unique=False,
        postgresql_where=sa.text("status = 'pending' and tries > 0"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_body", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_idempotency_keys_account_id_accounts")),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"], unique=False)
    op.create_table(
        "leads",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="New", nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "metadata",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("do_not_call", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts_total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("converted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status in ('New', 'Contacted', 'Converted', 'Unsubscribed')", name=op.f("ck_leads_status_known")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_leads_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("account_id", "phone_number", name=op.f("uq_leads_account_id_phone_number")),
    )
    op.create_index("ix_leads_account_id_created_at_id", "leads", ["account_id", "created_at", "id"], unique=False)
    op.create_table(
        "quota_accounts",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("granted_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("available_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spent_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "available_s >= 0 and held_s >= 0 and spent_s >= 0", name=op.f("ck_quota_accounts_not_negative")
        ),
        sa.CheckConstraint("granted_s = available_s + held_s + spent_s", name=op.f("ck_quota_accounts_balanced")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_quota_accounts_account_id_accounts")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_quota_accounts")),
    )
    op.create_table(
        "quota_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("campaign_id", sa.UUID(), nullable=True),
        sa.Column("call_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_s", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('grant', 'hold', 'settle', 'release')", name=op.f("ck_quota_entries_kind_known")),
        sa.CheckConstraint("amount_s >= 0", name=op.f("ck_quota_entries_amount_not_negative")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_quota_entries_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_entries")),
    )
    op.create_index("ix_quota_entries_account_id_id", "quota_entries", ["account_id", "id"], unique=False)
    op.create_index("ix_quota_entries_campaign_id", "quota_entries", ["campaign_id"], unique=False)
    op.create_index(
        "uq_quota_entries_call_kind",
        "quota_entries",
        ["call_id", "kind"],
        unique=True,
        postgresql_where=sa.text("call_id is not null"),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_suppressions_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint("account_id", "phone_number", name=op.f("uq_suppressions_account_id_phone_number")),
    )
    op.create_table(
        "campaign_spend",
        sa.Column("campaign_id", sa.UUID(), nullable=False),
        sa.Column("held_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spent_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("held_s >= 0 and spent_s >= 0", name=op.f("ck_campaign_spend_not_negative")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_spend_campaign_id_campaigns")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_spend")),
    )
    op.create_table(
        "enrolments",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("campaign_id", sa.UUID(), nullable=False),
        sa.Column("lead_id", sa.UUID(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("zones", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("zone_source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("skip_reason", sa.Text(), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("callback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refusals_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("blocked_by", sa.Text(), nullable=True),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_call_id", sa.UUID(), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.Column("last_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "last_outcome in ('human', 'voicemail', 'ivr', 'no_speech', 'no_answer', 'busy', 'rejected', 'invalid_number', 'failed', 'carrier_refused', 'cancelled', 'expired', 'ambiguous')",
            name=op.f("ck_enrolments_last_outcome_known"),
        ),
        sa.CheckConstraint(
            "state in ('pending', 'due', 'claimed', 'in_call', 'retry_wait', 'completed', 'exhausted', 'skipped', 'cancelled', 'expired')",
            name=op.f("ck_enrolments_state_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_enrolments_account_id_accounts")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_enrolments_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_enrolments_lead_id_leads")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint("campaign_id", "lead_id", name=op.f("uq_enrolments_campaign_id_lead_id")),
    )
    op.create_index(
        "ix_enrolments_campaign_id_seq",
        "enrolments",
        ["campaign_id", "seq"],
        unique=False,
        postgresql_include=["state"],
    )
    op.create_index(
        "ix_enrolments_fresh",
        "enrolments",
        ["campaign_id", "next_due_at", "seq"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_enrolments_lead_id", "enrolments", ["lead_id"], unique=False)
    op.create_index(
        "ix_enrolments_not_waiting",
        "enrolments",
        ["campaign_id", "state", "seq"],
        unique=False,
        postgresql_where=sa.text(
            "state in ('claimed', 'in_call', 'completed', 'exhausted', 'skipped', 'cancelled', 'expired')"
        ),
    )
    op.create_index(
        "ix_enrolments_returning",
        "enrolments",
        ["campaign_id", "next_due_at", "seq"],
        unique=False,
        postgresql_where=sa.text("state in ('due', 'retry_wait')"),
    )
    op.create_table(
        "policy_versions",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("campaign_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_policy_versions_account_id_accounts")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_policy_versions_campaign_id_campaigns")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_versions")),
        sa.UniqueConstraint("campaign_id", "version", name=op.f("uq_policy_versions_campaign_id_version")),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("campaign_id", sa.UUID(), nullable=True),
        sa.Column("lead_id", sa.UUID(), nullable=True),
        sa.Column("enrolment_id", sa.UUID(), nullable=True),
        sa.Column("policy_version_id", sa.UUID(), nullable=True),
        sa.Column("attempt_number", sa.Integer(), nullable=True),
        sa.Column("attempt_spent", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("execution_key", sa.Text(), nullable=True),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("from_number", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column(
            "lead_context",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("phase", sa.Text(), server_default="scheduled", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("provider_call_id", sa.Text(), nullable=True),
        sa.Column("lease_token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream_token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("stop_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("gate", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dialing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ringing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("talked_s", sa.Numeric(precision=10, scale=3), server_default="0", nullable=False),
        sa.Column("billed_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recording_path", sa.Text(), nullable=True),
        sa.Column(
            "tool_calls",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "latency_ms",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("call_summary", sa.Text(), nullable=True),
        sa.Column("sentiment", sa.Text(), nullable=True),
        sa.Column("analysis", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("analysis_error", sa.Text(), nullable=True),
        sa.Column("post_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("post_token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("completed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "answered_by in ('human', 'voicemail', 'ivr', 'unknown')", name=op.f("ck_calls_answered_by_known")
        ),
        sa.CheckConstraint(
            "end_reason in ('user_hangup', 'agent_end_call', 'max_duration', 'inactivity_timeout', 'voicemail_hangup', 'api_stop', 'api_cancel', 'campaign_stopped', 'gate_refused', 'never_taken', 'dial.busy', 'dial.no_answer', 'dial.rejected', 'dial.invalid_number', 'dial.failed', 'error.carrier.refused', 'error.carrier.auth', 'error.carrier.unreachable', 'error.carrier.no_stream', 'error.carrier.stream_lost', 'error.carrier.unknown_result', 'error.provider.auth', 'error.provider.closed', 'error.provider.timeout', 'error.provider.error', 'error.gateway.worker_lost', 'error.gateway.worker_shutdown', 'error.gateway.internal')",
            name=op.f("ck_calls_end_reason_known"),
        ),
        sa.CheckConstraint(
            "outcome in ('human', 'voicemail', 'ivr', 'no_speech', 'no_answer', 'busy', 'rejected', 'invalid_number', 'failed', 'carrier_refused', 'cancelled', 'expired', 'ambiguous')",
            name=op.f("ck_calls_outcome_known"),
        ),
        sa.CheckConstraint(
            "phase in ('scheduled', 'claimed', 'dialing', 'ringing', 'answered', 'ended', 'cancelled', 'expired', 'ambiguous')",
            name=op.f("ck_calls_phase_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_calls_account_id_accounts")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_calls_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolments.id"], name=op.f("fk_calls_enrolment_id_enrolments")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_calls_lead_id_leads")),
        sa.ForeignKeyConstraint(
            ["policy_version_id"], ["policy_versions.id"], name=op.f("fk_calls_policy_version_id_policy_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(
        "ix_calls_account_dials",
        "calls",
        ["account_id", "dialing_at"],
        unique=False,
        postgresql_where=sa.text("dialing_at is not null"),
    )
    op.create_index("ix_calls_account_id_created_at_id", "calls", ["account_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_calls_campaign_dials",
        "calls",
        ["campaign_id", "dialing_at"],
        unique=False,
        postgresql_where=sa.text("dialing_at is not null"),
    )
    op.create_index(
        "ix_calls_dials",
        "calls",
        ["phone_number", "account_id", "dialing_at"],
        unique=False,
        postgresql_where=sa.text("dialing_at is not null"),
    )
    op.create_index(
        "ix_calls_lease",
        "calls",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("phase in ('claimed', 'dialing', 'ringing', 'answered')"),
    )
    op.create_index(
        "ix_calls_live",
        "calls",
        ["account_id", "campaign_id", "lease_owner"],
        unique=False,
        postgresql_where=sa.text("phase in ('claimed', 'dialing', 'ringing', 'answered')"),
    )
    op.create_index(
        "ix_calls_post", "calls", ["post_due_at"], unique=False, postgresql_where=sa.text("post_due_at is not null")
    )
    op.create_index(
        "ix_calls_scheduled", "calls", ["due_at", "id"], unique=False, postgresql_where=sa.text("phase = 'scheduled'")
    )
    op.create_index(
        "ix_calls_waiting",
        "calls",
        ["account_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("phase = 'scheduled' and enrolment_id is null"),
    )
    op.create_index(
        "uq_calls_attempt",
        "calls",
        ["enrolment_id", "attempt_number"],
        unique=True,
        postgresql_where=sa.text("attempt_spent and enrolment_id is not null"),
    )
    op.create_index(
        "uq_calls_execution_key",
        "calls",
        ["account_id", "execution_key"],
        unique=True,
        postgresql_where=sa.text("execution_key is not null"),
    )
    op.create_index(
        "uq_calls_one_live_per_number",
        "calls",
        ["account_id", "phone_number"],
        unique=True,
        postgresql_where=sa.text("phase in ('claimed', 'dialing', 'ringing', 'answered')"),
    )
    op.create_table(
        "call_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("call_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "data",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_call_events_account_id_accounts")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_events_call_id_calls")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_events")),
    )
    op.create_index("ix_call_events_call_id_id", "call_events", ["call_id", "id"], unique=False)
    op.create_table(
        "turns",
        sa.Column("call_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("started_ms", sa.Integer(), nullable=False),
        sa.Column("ended_ms", sa.Integer(), nullable=False),
        sa.Column("interrupted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "latency_ms",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_turns_call_id_calls")),
        sa.PrimaryKeyConstraint("call_id", "position", name=op.f("pk_turns")),
    )

    op.execute(IMMUTABLE_FUNCTION)
    for table in IMMUTABLE_TABLES:
        op.execute(
            f"create trigger {table}_immutable before update or delete on {table} "
            "for each row execute function refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("turns")
    op.drop_index("ix_call_events_call_id_id", table_name="call_events")
    op.drop_table("call_events")
    op.drop_index(
        "uq_calls_one_live_per_number",
        table_name="calls",
        postgresql_where=sa.text("phase in ('claimed', 'dialing', 'ringing', 'answered')"),
    )
    op.drop_index("uq_calls_execution_key", table_name="calls", postgresql_where=sa.text("execution_key is not null"))
    op.drop_index(
        "uq_calls_attempt", table_name="calls", postgresql_where=sa.text("attempt_spent and enrolment_id is not null")
    )
    op.drop_index(
        "ix_calls_waiting", table_name="calls", postgresql_where=sa.text("phase = 'scheduled' and enrolment_id is null")
    )
    op.drop_index("ix_calls_scheduled", table_name="calls", postgresql_where=sa.text("phase = 'scheduled'"))
    op.drop_index("ix_calls_post", table_name="calls", postgresql_where=sa.text("post_due_at is not null"))
    op.drop_index(
        "ix_calls_live",
        table_name="calls",
        postgresql_where=sa.text("phase in ('claimed', 'dialing', 'ringing', 'answered')"),
    )
    op.drop_index(
        "ix_calls_lease",
        table_name="calls",
        postgresql_where=sa.text("phase in ('claimed', 'dialing', 'ringing', 'answered')"),
    )
    op.drop_index("ix_calls_dials", table_name="calls", postgresql_where=sa.text("dialing_at is not null"))
    op.drop_index("ix_calls_campaign_dials", table_name="calls", postgresql_where=sa.text("dialing_at is not null"))
    op.drop_index("ix_calls_account_id_created_at_id", table_name="calls")
    op.drop_index("ix_calls_account_dials", table_name="calls", postgresql_where=sa.text("dialing_at is not null"))
    op.drop_table("calls")
    op.drop_table("policy_versions")
    op.drop_index(
        "ix_enrolments_returning", table_name="enrolments", postgresql_where=sa.text("state in ('due', 'retry_wait')")
    )
    op.drop_index(
        "ix_enrolments_not_waiting",
        table_name="enrolments",
        postgresql_where=sa.text(
            "state in ('claimed', 'in_call', 'completed', 'exhausted', 'skipped', 'cancelled', 'expired')"
        ),
    )
    op.drop_index("ix_enrolments_lead_id", table_name="enrolments")
    op.drop_index("ix_enrolments_fresh", table_name="enrolments", postgresql_where=sa.text("state = 'pending'"))
    op.drop_index("ix_enrolments_campaign_id_seq", table_name="enrolments", postgresql_include=["state"])
    op.drop_table("enrolments")
    op.drop_table("campaign_spend")
    op.drop_table("suppressions")
    op.drop_index(
        "uq_quota_entries_call_kind", table_name="quota_entries", postgresql_where=sa.text("call_id is not null")
    )
    op.drop_index("ix_quota_entries_campaign_id", table_name="quota_entries")
    op.drop_index("ix_quota_entries_account_id_id", table_name="quota_entries")
    op.drop_table("quota_entries")
    op.drop_table("quota_accounts")
    op.drop_index("ix_leads_account_id_created_at_id", table_name="leads")
    op.drop_table("leads")
    op.drop_index(op.f("ix_idempotency_keys_expires_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(
        "ix_deliveries_troubled", table_name="deliveries", postgresql_where=sa.text("status = 'pending' and tries > 0")
    )
    op.drop_index(
        "ix_deliveries_leased",
        table_name="deliveries",
        postgresql_where=sa.text("status = 'pending' and lease_until is not null"),
    )
    op.drop_index("ix_deliveries_lane", table_name="deliveries", postgresql_where=sa.text("status = 'pending'"))
    op.drop_index("ix_deliveries_gone", table_name="deliveries", postgresql_where=sa.text("last_status_code = 410"))
    op.drop_index("ix_deliveries_call_id", table_name="deliveries")
    op.drop_index("ix_deliveries_account_id_seq", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index(
        "ix_campaigns_active", table_name="campaigns", postgresql_where=sa.text("status in ('running', 'scheduled')")
    )
    op.drop_index("ix_campaigns_account_id_created_at_id", table_name="campaigns")
    op.drop_table("campaigns")
    op.drop_index(op.f("ix_api_keys_account_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("ticks")
    op.drop_index(op.f("ix_media_workers_heartbeat_at"), table_name="media_workers")
    op.drop_table("media_workers")
    op.drop_table("fair_turns")
    op.drop_table("accounts")
    op.execute("drop function refuse_change()")
