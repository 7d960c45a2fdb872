"""Real servers for the tests: one embedded stack per run, one fresh database per test from a migrated template."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from deploy.embedded.stack import StackAddresses, running_stack
from dispatcher.store.db import Database
from schema.migrations.run import upgrade

TEMPLATE = "trunkline_template"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackAddresses]:
    """The real PostgreSQL and Redis-compatible server of this run."""
    data_dir = Path(os.environ.get("TRUNKLINE_TEST_DATA_DIR") or tmp_path_factory.mktemp("stack"))
    with running_stack(data_dir) as addresses:
        yield addresses


def _server_execute(database_url: str, statement: str) -> None:
    url = make_url(database_url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def template_url(stack: StackAddresses) -> str:
    """A migrated database that others are cloned from."""
    _server_execute(stack.database_url, f"drop database if exists {TEMPLATE}")
    _server_execute(stack.database_url, f"create database {TEMPLATE}")
    url = make_url(stack.database_url).set(database=TEMPLATE).render_as_string(hide_password=False)
    upgrade(url)
    return url


@pytest.fixture
def database_url(stack: StackAddresses, template_url: str) -> Iterator[str]:
    """A fresh, migrated, empty database."""
    name = f"test_{uuid.uuid4().hex}"
    _server_execute(stack.database_url, f"create database {name} template {TEMPLATE}")
    yield make_url(stack.database_url).set(database=name).render_as_string(hide_password=False)
    _server_execute(stack.database_url, f"drop database {name} with (force)")


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """The fresh database as the services see it, on the server's own clock."""
    database = Database(database_url)
    yield database
    database.dispose()
