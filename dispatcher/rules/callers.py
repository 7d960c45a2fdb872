"""Which of a pool's numbers a call shows.

Deterministic: the same pool, counts and seed give the same number. Does not know carriers; a number at its live limit
is passed over, and nothing is chosen when all are.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias, assert_never

from dispatcher.rules.numbers import place_of

Strategy: TypeAlias = Literal["fixed", "round_robin", "local_area"]


def choose_caller_id(
    pool: Sequence[str],
    strategy: Strategy,
    phone_number: str,
    live_counts: Mapping[str, int],
    seed: str,
    *,
    live_limit: int | None = None,
) -> str | None:
    """Return the number to show to `phone_number`, or None when the pool is empty or every number is at its limit.

    fixed: the first free one. round_robin: the least busy, equals turned by the seed. local_area: the same area code,
    else the same region, else the same country, else any; among those as round_robin.
    """
    free = [number for number in pool if live_limit is None or live_counts.get(number, 0) < live_limit]
    if not free:
        return None
    match strategy:
        case "fixed":
            return free[0]
        case "round_robin":
            return _least_busy(free, live_counts, seed)
        case "local_area":
            return _least_busy(_nearest(free, phone_number), live_counts, seed)
        case _:
            assert_never(strategy)


def _nearest(pool: list[str], phone_number: str) -> list[str]:
    callee = place_of(phone_number)
    tests: tuple[Callable[[str], bool], ...] = (
        lambda n: callee.area_code is not None and place_of(n)[:3] == callee[:3],
        lambda n: callee.region is not None and place_of(n)[:2] == callee[:2],
        lambda n: place_of(n).country == callee.country,
    )
    for near in tests:
        if found := [number for number in pool if near(number)]:
            return found
    return pool


def _least_busy(pool: list[str], live_counts: Mapping[str, int], seed: str) -> str:
    return min(pool, key=lambda number: (live_counts.get(number, 0), _turn(seed, number), number))


def _turn(seed: str, number: str) -> bytes:
    return hashlib.blake2b(f"{seed}|{number}".encode(), digest_size=8).digest()
