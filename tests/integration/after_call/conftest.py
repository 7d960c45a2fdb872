"""A database on a clock that the test moves, and servers that do what a script says."""

import socket
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from dispatcher.store.db import Database
from tests.builders.clock import Clock
from tests.integration.after_call.outside import Script


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(database_url: str, clock: Clock) -> Iterator[Database]:
    database = Database(database_url, clock=clock)
    yield database
    database.dispose()


@pytest.fixture
def serve() -> Iterator[Callable[[Script], int]]:
    """Serve one scripted connection per accepted socket; the test gets the port."""
    listeners: list[socket.socket] = []

    def start(script: Script) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        script(connection)
                    except OSError:
                        continue

        Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
