"""A database on a clock that the test moves."""

from collections.abc import Iterator

import pytest

from dispatcher.store.db import Database
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(database_url: str, clock: Clock) -> Iterator[Database]:
    database = Database(database_url, clock=clock)
    yield database
    database.dispose()


@pytest.fixture
def announcer() -> RecordingAnnouncer:
    return RecordingAnnouncer()
