"""Work that is worth trying now and is found by a tick otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from dispatcher.store.db import Database, Tx

log = structlog.get_logger()


@contextmanager
def attempt(db: Database) -> Iterator[Tx]:
    """Open a transaction whose failure at the database is logged and changes nothing: a tick does the work later."""
    try:
        with db.transaction() as tx:
            yield tx
    except SQLAlchemyError as error:
        log.warning("attempt_left_to_the_tick", error=type(error).__name__)
