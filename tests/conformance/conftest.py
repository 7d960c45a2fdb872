"""One simulated world for all conformance tests of a run, with a person for every behaviour."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.simulator.process import World, world_process

CALLEES = Path(__file__).with_name("callees.yaml")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world, as a process of its own; tests must use numbers and names of their own in it."""
    log_dir = tmp_path_factory.mktemp("world")
    with world_process(callees=CALLEES, log_dir=log_dir, options=("--think-ms", "20", "--idle-s", "1.5")) as running:
        yield running
