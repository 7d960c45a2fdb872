"""Placing a call in whichever of its shapes: alone where nothing else belongs to it, else in a transaction.

The caller's transaction is used when it has one, because the reply is kept in it; without one a transaction is opened
only for calls that need it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never
from uuid import UUID

from dispatcher.announce import Announcer
from dispatcher.services.accept import accept_alone, accept_call, stands_alone
from dispatcher.services.execute import execute
from dispatcher.store.db import Database, Tx
from schema.calls import CampaignExecution, CreateCall, CreatedCall, InstructionsCall, TaskCall


def place_call(
    db: Database, tx: Tx | None, announcer: Announcer, body: CreateCall, *, account_id: UUID, default_from: str | None
) -> tuple[CreatedCall, bool]:
    """Place a call, or find the one that was placed under the same idempotency_key (False).

    Raises:
        Refusal: as `accept_call` and `execute` do; nothing was written then.
    """
    order = body.root
    match order:
        case TaskCall() | InstructionsCall():
            if tx is None and stands_alone(order):
                return accept_alone(db, announcer, account_id, order, default_from), True
            with _within(db, tx) as open_tx:
                return accept_call(open_tx, announcer, account_id, order, default_from)
        case CampaignExecution():
            with _within(db, tx) as open_tx:
                return execute(open_tx, account_id, order, default_from)
        case _:
            assert_never(order)


@contextmanager
def _within(db: Database, tx: Tx | None) -> Iterator[Tx]:
    if tx is not None:
        yield tx
        return
    with db.transaction() as own:
        yield own
