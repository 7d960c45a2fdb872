"""The database as the services see it: transactions with one instant and what to do after the commit.

A service's `with db.transaction() as tx:` block is the transaction. `tx.now` is the database's clock, so leases and
windows never depend on a host's; tests pass their own clock. Follows ARCHITECTURE.md, "Truth, doorbell, cache".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, create_engine, text

log = structlog.get_logger()

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Tx:
    """One open transaction.

    Attributes:
        connection: the SQLAlchemy connection; only `dispatcher.store` modules use it.
        now: the instant of the transaction, aware, UTC.
    """

    connection: Connection
    now: datetime
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    def on_commit(self, act: Callable[[], None]) -> None:
        """Run `act` after the commit; its failure is logged and changes nothing, for messages are only hints."""
        self.after_commit.append(act)


class Database:
    """A Postgres database. Safe to share between threads."""

    def __init__(self, url: str, *, pool_size: int = 5, clock: Clock | None = None) -> None:
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=5s"},
        )
        self._clock = clock

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Open a transaction; commit at the end of the block, roll back when it raises."""
        with self.engine.connect() as connection:
            with connection.begin():
                tx = Tx(connection, self._now(connection))
                yield tx
            for act in tx.after_commit:
                try:
                    act()
                except Exception:
                    log.warning("after_commit_failed", exc_info=True)

    def _now(self, connection: Connection) -> datetime:
        if self._clock is not None:
            return self._clock()
        instant = connection.execute(text("select now()")).scalar_one()
        return datetime.fromtimestamp(instant.timestamp(), UTC)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
