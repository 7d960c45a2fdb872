"""One simulated world per run; every test begins with a fresh one."""

from collections.abc import Iterator

import pytest

from deploy.simulator.process import World, world_process

CALLEES = """
people:
  speaker:
    ring_s: 0.1
    script:
      - {after_s: 0.2, say: "hello?"}
      - {later_s: 0.1, dtmf: "5#"}
  quiet: {ring_s: 0.1, patience_s: 60}
  machine: {ring_s: 0.1, answered_by: machine_end_beep, amd_s: 0.2}
numbers:
  "+15550000001": speaker
  "+15550000002": busy
  "+15550000003": no_answer
  "+15550000004": rejected
  "+15550000005": failed
  "+15550000006": machine
default: quiet
"""


@pytest.fixture(scope="session")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The simulated world as a process."""
    callees = tmp_path_factory.mktemp("world") / "callees.yaml"
    callees.write_text(CALLEES, encoding="utf-8")
    with world_process(callees=callees, options=("--idle-s", "5")) as world:
        yield world


@pytest.fixture
def world(running_world: World) -> World:
    """The simulated world without calls, faults or memories."""
    running_world.reset()
    return running_world
