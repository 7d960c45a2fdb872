"""One installation for all fault tests: two media workers and all else of the Procfile, able to die on request."""

import signal
from collections.abc import Iterator

import pytest

from tests.fault import promises
from tests.fault.accident import Accident, happen
from tests.fault.early import EarlyFaults, begin
from tests.fault.scene import MEDIA, PEOPLE, SLOTS, Scene, a_scene, crash_dir
from tests.installation import Installation, installation


@pytest.fixture(scope="package")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Run everything; each test is a customer of its own."""
    data_dir = tmp_path_factory.mktemp("fault")
    crash_dir(data_dir).mkdir()
    env = {"TRUNKLINE_CRASH_DIR": str(crash_dir(data_dir))}
    with installation(data_dir, media_workers=len(MEDIA), slots=SLOTS, env=env) as running:
        running.world.change_callees(PEOPLE.read_text(encoding="utf-8"))
        yield running


@pytest.fixture(scope="package")
def early(up: Installation) -> EarlyFaults:
    """The faults that need a minute, begun."""
    return begin(up)


@pytest.fixture(scope="package")
def accident(up: Installation, early: EarlyFaults) -> Iterator[Accident]:
    """Both media workers lost; the frozen one is woken at the end, if no test has done it."""
    for scene in early.soon_over:
        promises.at_rest(scene)
    accident = happen(up)
    yield accident
    up.supervisor.kill(accident.asleep, signal.SIGCONT)


@pytest.fixture
def scene(up: Installation) -> Scene:
    """A fresh customer."""
    return a_scene(up)
