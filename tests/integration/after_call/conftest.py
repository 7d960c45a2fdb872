"""A database on a clock that the test moves."""

from collections.abc import Iterator

import pytest

from dispatcher.store.db import Database
from tests.integration.after_call.rows import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(database_url: str, clock: Clock) -> Iterator[Database]:
    database = Database(database_url, clock=clock)
    yield database
    database.dispose()
