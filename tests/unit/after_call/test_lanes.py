"""How senders are dealt to receivers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from dispatcher.services.lanes import Widths, share_senders
from dispatcher.store.deliveries import Lane

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
WIDTHS = Widths(lane=2, troubled_lane=1, account=4, troubled=3, total=8)


def a_lane(
    host: str, account: UUID = ONE, *, waits_s: float | None = 0, leased: int = 0, troubled: bool = False
) -> Lane:
    due_at = None if waits_s is None else NOON - timedelta(seconds=waits_s)
    return Lane(account, host, due_at, leased, troubled)


def dealt(*lanes: Lane) -> dict[str, int]:
    return {lane.host: free for lane, free in share_senders(lanes, WIDTHS)}


def test_a_healthy_lane_gets_its_width_less_what_already_sends() -> None:
    assert dealt(a_lane("a")) == {"a": 2}
    assert dealt(a_lane("a", leased=1)) == {"a": 1}
    assert dealt(a_lane("a", leased=2)) == {}


def test_a_lane_with_nothing_due_gets_nobody_but_its_senders_count() -> None:
    lanes = [a_lane(f"idle{n}", waits_s=None, leased=2) for n in range(2)]
    assert dealt(*lanes, a_lane("a")) == {}
    assert dealt(*lanes, a_lane("b", TWO)) == {"b": 2}


def test_an_account_with_many_hosts_stays_within_its_allowance_and_leaves_the_rest_to_others() -> None:
    many = [a_lane(f"h{n}", waits_s=100 - n) for n in range(10)]
    assert dealt(*many, a_lane("b", TWO)) == {"h0": 2, "h1": 2, "b": 2}


def test_lanes_with_failures_share_few_senders() -> None:
    failing = [a_lane(f"f{n}", UUID(int=n), troubled=True) for n in range(10, 20)]
    shares = dealt(*failing, a_lane("healthy", waits_s=-1))
    assert len([host for host in shares if host.startswith("f")]) == 3
    assert shares["healthy"] == 2


def test_the_longest_due_lane_is_served_first_when_senders_are_few() -> None:
    lanes = [a_lane(f"h{n}", UUID(int=n), waits_s=n) for n in range(1, 10)]
    assert list(dealt(*lanes)) == ["h9", "h8", "h7", "h6"]
