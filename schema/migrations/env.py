"""Alembic's entry: run the migrations in one transaction, one runner at a time, never waiting long for a lock.

The caller passes the database's URL in the configuration's attributes; there is no alembic.ini.
"""

from alembic import context
from sqlalchemy import create_engine, text

from schema.tables import metadata

ONE_RUNNER = 0x7472756E6B
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "5min"


def _migrate(url: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": ONE_RUNNER})
            connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
            connection.execute(text(f"set local statement_timeout = '{STATEMENT_TIMEOUT}'"))
            context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
            context.run_migrations()
    finally:
        engine.dispose()


_migrate(context.config.attributes["url"])
