"""The migrations build exactly what `schema.tables` declares, and history cannot be rewritten."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from schema.migrations.run import upgrade
from schema.tables import metadata

COLUMNS = """
select table_name, column_name, data_type, is_nullable, coalesce(column_default, ''), is_identity
from information_schema.columns
where table_schema = 'public' and table_name <> 'alembic_version'
"""
CONSTRAINTS = """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid)
from pg_constraint
where connamespace = 'public'::regnamespace and conrelid::regclass::text <> 'alembic_version'
"""
INDEXES = """
select tablename, indexname, indexdef from pg_indexes
where schemaname = 'public' and tablename <> 'alembic_version'
"""


@pytest.fixture
def declared_url(database_url: str) -> Iterator[str]:
    """A database built from the declared tables instead of the migrations."""
    name = f"declared_{uuid.uuid4().hex}"
    url = make_url(database_url)
    server = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield url.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


def _engine(url: str) -> Engine:
    return create_engine(url)


def _catalogue(engine: Engine) -> dict[str, set[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            name: {tuple(row) for row in connection.execute(text(query))}
            for name, query in (("columns", COLUMNS), ("constraints", CONSTRAINTS), ("indexes", INDEXES))
        }


def test_migrations_and_tables_agree_to_the_last_constraint(database_url: str, declared_url: str) -> None:
    migrated, declared = _engine(database_url), _engine(declared_url)
    metadata.create_all(declared)
    assert _catalogue(migrated) == _catalogue(declared)
    migrated.dispose()
    declared.dispose()


def test_migrations_leave_nothing_for_autogenerate_to_find(database_url: str) -> None:
    engine = _engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    engine = _engine(database_url)
    before = _catalogue(engine)
    upgrade(database_url)
    assert _catalogue(engine) == before
    engine.dispose()


@pytest.mark.parametrize("statement", ["update quota_entries set amount_s = 0", "delete from quota_entries"])
def test_the_ledger_cannot_be_rewritten(database_url: str, statement: str) -> None:
    engine = _engine(database_url)
    with engine.begin() as connection:
        account = connection.execute(
            text("insert into accounts (name, webhook_secret) values ('a', 's') returning id")
        ).scalar_one()
        connection.execute(
            text("insert into quota_entries (account_id, kind, amount_s) values (:id, 'grant', 60)"), {"id": account}
        )
    with engine.connect() as connection, pytest.raises(IntegrityError, match="never change"):
        connection.execute(text(statement))
    engine.dispose()
