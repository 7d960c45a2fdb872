"""The API over a fresh database: Flask's own test client, a bell that remembers, one customer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from api.app import create_app
from api.settings import ApiSettings
from dispatcher.store.db import Database
from tests.builders.announcer import RecordingAnnouncer
from tests.integration.api.customers import Api, Customer, open_account


@pytest.fixture
def bell() -> RecordingAnnouncer:
    return RecordingAnnouncer()


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def api(db: Database, database_url: str, bell: RecordingAnnouncer, recordings: Path) -> Api:
    settings = ApiSettings(database_url=database_url, redis_url="redis://nowhere", recordings_dir=recordings)
    return Api(create_app(settings, database=db, announcer=bell), db, bell)


@pytest.fixture
def customer(api: Api) -> Customer:
    return open_account(api)


@pytest.fixture
def another_customer(api: Api) -> Customer:
    return open_account(api, name="Somebody else")


NewCustomer = Callable[..., Customer]


@pytest.fixture
def new_customer(api: Api) -> NewCustomer:
    return lambda **order: open_account(api, **order)
