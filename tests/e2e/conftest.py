"""One installation for the whole folder; whatever takes long is begun before the first test and judged by the last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.campaign import Campaign, start_bounded_campaign, start_mixed_campaign, start_poor_campaign
from tests.e2e.phonebook import new_number
from tests.e2e.scenario import Mode, Scenario
from tests.e2e.stage import Scene, place
from tests.installation import Customer, Installation, installation

pytest.register_assert_rewrite("tests.e2e.checks")

TEST_LIMIT_S = 240
"""The first test of a run also waits for everything to start, and one that runs alone for a whole campaign."""
BEGUN_FIRST = ("mixed_campaign", "poor_campaign", "bounded_campaign", "failing_receiver", "scenes")

HERE = Path(__file__).parent

Scenes = dict[tuple[str, Mode], Scene]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time they need."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(TEST_LIMIT_S))


@pytest.fixture(scope="package")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Everything running, in the simulated world."""
    with installation(tmp_path_factory.mktemp("e2e"), slots=12) as running:
        yield running


@pytest.fixture(scope="package")
def scenes(up: Installation, request: pytest.FixtureRequest) -> Scenes:
    """The chosen scenarios, all on their way."""
    chosen = {(entry[0].name, entry[1]): entry for item in _tests_here(request) for entry in _chosen(item)}
    return {key: place(up, scenario, mode) for key, (scenario, mode) in chosen.items()}


@pytest.fixture(scope="package")
def mixed_campaign(up: Installation) -> Campaign:
    """A campaign over people of all kinds, started."""
    return start_mixed_campaign(up)


@pytest.fixture(scope="package")
def poor_campaign(up: Installation) -> Campaign:
    """A campaign that can pay for one call, started."""
    return start_poor_campaign(up)


@pytest.fixture(scope="package")
def bounded_campaign(up: Installation) -> Campaign:
    """A campaign that begins in seconds and ends before everybody is reached."""
    return start_bounded_campaign(up)


@pytest.fixture(scope="package")
def failing_receiver(up: Installation) -> Customer:
    """A customer whose receiver refuses the first delivery, with one call to be told of."""
    customer = up.customer()
    up.world.answer_sink(customer.sink, 500, 200)
    customer.call(phone_number=new_number("busy"), webhook_url=up.world.sink_url(customer.sink))
    return customer


@pytest.fixture(scope="package", autouse=True)
def _begun(request: pytest.FixtureRequest) -> None:
    """Begin what the chosen tests will ask for."""
    wanted = {name for item in _tests_here(request) for name in item.fixturenames}
    for name in BEGUN_FIRST:
        if name in wanted:
            request.getfixturevalue(name)


def _chosen(item: pytest.Function) -> list[tuple[Scenario, Mode]]:
    params: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    return [params["chosen"]] if "chosen" in params else []


def _tests_here(request: pytest.FixtureRequest) -> list[pytest.Function]:
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    return [item for item in items if item.path.is_relative_to(HERE)]
