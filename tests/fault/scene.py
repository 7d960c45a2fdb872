"""One customer of a running installation, the calls and campaigns it asked for, and what the carrier saw of them.

Every call goes to a number of its own, so that the carrier's log says of each how often it was dialled.
"""

import itertools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from dispatcher.crash_points import CrashPoint
from tests.fault.books import OVER, Books, Row, ready_workers
from tests.installation import Customer, Installation, Json
from tests.waiting import wait_for

PEOPLE = Path(__file__).with_name("people.yaml")
ALL_DAY = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}
ALL_EVENTS = ["call.completed", "call.failed", "call.cancelled"]
TASK = "Confirm the appointment tomorrow. Be brief."
MEDIA = ("media.1", "media.2")
SLOTS = 8

_DIGITS = {who: suffix[1:] for suffix, who in yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))["numbers"].items()}
_EXCHANGES = itertools.product((212, 312, 415, 617), range(220, 900))


def new_number(who: str) -> str:
    """Return a number nobody has called yet, answered by this person."""
    area, exchange = next(_EXCHANGES)
    return f"+1{area}{exchange}{_DIGITS[who]}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A direct call that was accepted."""

    call_id: str
    number: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that was started, and its leads' numbers."""

    campaign_id: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A customer in an installation."""

    up: Installation
    customer: Customer
    books: Books

    def call(self, who: str, **fields: object) -> Placed:
        """Ask for a direct call."""
        number = new_number(who)
        return Placed(self.customer.call(**self.order(number), **fields), number)

    def order(self, number: str) -> Json:
        """Compose the request of a direct call."""
        return {
            "phone_number": number,
            "task": TASK,
            "ring_timeout": 120,
            "inactivity_timeout": 120,
            "voicemail": {"detect": "off"},
            "webhook_url": self.up.world.sink_url(self.customer.sink),
            "webhook_events": ALL_EVENTS,
        }

    def campaign(self, *people: str, **changes: object) -> Campaign:
        """Start a campaign over one new lead for each of these people."""
        numbers = tuple(new_number(who) for who in people)
        client = self.customer.client
        body: Json = {
            "name": "Recall",
            "call_config": {"task": TASK, "max_duration": 2, "ring_timeout": 15, "voicemail": {"detect": "off"}},
            "from_numbers": ["+18005551234"],
            "schedule": {"timezone": "UTC", "windows": [ALL_DAY], "respect_legal_hours": False},
            "pacing": {"max_concurrent_calls": 12, "calls_per_minute": 1_000},
            "retry": {"max_attempts": 1},
            "contact_limits": {"min_gap_minutes": 1, "max_attempts_per_24h": 10},
            "webhook_url": self.up.world.sink_url(self.customer.sink),
            "webhook_events": ALL_EVENTS,
            **changes,
        }
        campaign_id = str(client.post("/v1/campaigns", body)["id"])
        leads = [{"phone_number": number} for number in numbers]
        client.post(f"/v1/campaigns/{campaign_id}/leads", {"leads": leads})
        client.post(f"/v1/campaigns/{campaign_id}/start")
        return Campaign(campaign_id, numbers)

    def dials(self, number: str) -> list[Json]:
        """Return every request to dial a number that reached the carrier, answered or not."""
        return [dial for dial in self.up.world.dials() if dial["to"] == number]

    def legs(self, number: str) -> list[Json]:
        """Return the carrier's own calls to a number, oldest first."""
        return self.up.world.calls(to=number)

    def asked(self, number: str) -> None:
        """Wait until a request to dial a number has reached the carrier."""
        wait_for(lambda: self.dials(number), what=f"a request to dial {number}")

    def leg(self, number: str) -> Json:
        """Wait until the carrier has a call to a number and return it; there must never be a second."""
        legs = wait_for(lambda: self.legs(number), what=f"the carrier's call to {number}")
        assert len(legs) == 1, f"{number} was called {len(legs)} times"
        return legs[0]

    def answered(self, number: str) -> Json:
        """Wait until the callee talks to us over a media socket."""

        def look() -> Json | None:
            legs = self.legs(number)
            return legs[0] if legs and legs[0]["stream_connected_ms"] is not None else None

        return wait_for(look, what=f"conversation with {number}")

    def ended(self, call_id: str, within_s: float = 60) -> Row:
        """Wait until a call is over and return its row."""

        def look() -> Row | None:
            row = self.books.call(call_id)
            return row if row["phase"] in OVER else None

        return wait_for(look, what=f"end of call {call_id}", within_s=within_s)

    def owner(self, call_id: str) -> str:
        """Return the name of the media worker that holds a call."""
        pid = int(str(self.books.call(call_id)["lease_owner"]).split(":")[1])
        (name,) = [name for name, running in self.up.supervisor.pids().items() if running == pid]
        return name


def a_scene(up: Installation) -> Scene:
    """Open an account of its own."""
    customer = up.customer()
    return Scene(up, customer, Books(up.stack.addresses.database_url, customer.sink))


def media_ready(up: Installation, *names: str) -> None:
    """Wait until these media workers, all of them when none is named, run and take calls."""

    def look() -> bool:
        pids = up.supervisor.pids()
        return {pids.get(name, -1) for name in names or MEDIA} <= ready_workers(up.stack.addresses.database_url)

    wait_for(look, what="media workers to be ready")


def kill(up: Installation, name: str) -> None:
    """Kill a process with SIGKILL and wait until it has been started again."""
    old_pid = up.supervisor.kill(name, signal.SIGKILL)
    up.supervisor.wait_restart(name, old_pid, 30)


@contextmanager
def frozen(up: Installation, *names: str) -> Iterator[None]:
    """Stop processes in the middle of whatever they do, and let them go on afterwards."""
    for name in names:
        up.supervisor.kill(name, signal.SIGSTOP)
    try:
        yield
    finally:
        for name in names:
            up.supervisor.kill(name, signal.SIGCONT)


class Trap:
    """A boundary at which the next process that passes it dies."""

    def __init__(self, up: Installation, point: CrashPoint) -> None:
        self._file = crash_dir(up.data_dir) / point.value
        self._point = point
        self._file.touch()

    def sprung(self) -> None:
        """Wait until a process has died of it."""
        wait_for(lambda: not self._file.exists(), what=f"a process to reach {self._point}")


def crash_dir(data_dir: Path) -> Path:
    """Return the folder that the processes look into for traps."""
    return data_dir / "crash"
