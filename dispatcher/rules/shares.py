"""Who gets the free slots of a tick: fair over accounts, by weight over an account's campaigns.

Slots are dealt one at a time around a ring of accounts, starting after the one served last: with T accounts due and S
slots per tick nobody waits more than ceil(T/S) ticks. Floors are dealt after everybody's first slot, so that they never
break that bound. Holds no state: the cursor goes in and comes out. Follows the fair-shares rule of the dispatch design.
"""

import bisect
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

_TURN_BITS = 24
_POSITION_BITS = 39
_GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: multiples of it, modulo 2^64, are evenly spread whatever the stride."""
_MASK_64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Want:
    """What one campaign could start in this tick.

    Attributes:
        due: starts wanted, already cut to the campaign's own caps; 0 is allowed.
        weight: share among the account's campaigns, at least 1.
        floor: slots the account gets before others get their second one; the largest of its campaigns' counts.
        account_free: starts the account's caps leave; the smallest of its campaigns' counts, None without a cap.
    """

    account_id: UUID
    campaign_id: UUID
    due: int
    weight: int = 1
    floor: int = 0
    account_free: int | None = None


def deal(wants: tuple[Want, ...], slots: int, cursor: int) -> tuple[dict[UUID, int], int]:
    """Deal free slots and return slots per campaign id (only those above 0) and the next cursor (fits a signed 64 bit).

    Any cursor is accepted; start with 0.
    """
    ring = _ring(wants, cursor >> _TURN_BITS)
    turn = cursor & ((1 << _TURN_BITS) - 1)
    position = cursor >> _TURN_BITS
    given: dict[UUID, int] = {}
    for seat in _turns(ring, slots):
        campaign_id = seat.next_campaign(turn)
        given[campaign_id] = given.get(campaign_id, 0) + 1
        turn = (turn + 1) % (1 << _TURN_BITS)
        position = seat.position
    return given, (position << _TURN_BITS) | turn


@dataclass(slots=True)
class _Seat:
    """One account at the ring."""

    position: int
    free: int
    floor: int
    due: dict[UUID, int]
    weights: dict[UUID, int]
    dealt: int = 0

    def next_campaign(self, turn: int) -> UUID:
        """Take one slot for the campaign the turn falls on."""
        names = list(self.due)
        bounds: list[int] = []
        total = 0
        for name in names:
            total += self.weights[name]
            bounds.append(total)
        point = ((turn * _GOLDEN) & _MASK_64) * total >> 64
        chosen = names[bisect.bisect_right(bounds, point)]
        self.due[chosen] -= 1
        if self.due[chosen] == 0:
            del self.due[chosen]
        self.dealt += 1
        return chosen

    @property
    def wants_more(self) -> bool:
        return bool(self.due) and self.dealt < self.free


def _ring(wants: tuple[Want, ...], after: int) -> list[_Seat]:
    by_account: dict[UUID, list[Want]] = defaultdict(list)
    for want in wants:
        if want.due > 0:
            by_account[want.account_id].append(want)
    seats = sorted((_seat(account_id, group) for account_id, group in by_account.items()), key=lambda s: s[0])
    split = bisect.bisect_right([key[0] for key, _ in seats], after)
    return [seat for _, seat in seats[split:] + seats[:split]]


def _seat(account_id: UUID, group: list[Want]) -> tuple[tuple[int, int], _Seat]:
    position = _position(account_id)
    due: dict[UUID, int] = {}
    for want in sorted(group, key=lambda w: w.campaign_id):
        due[want.campaign_id] = due.get(want.campaign_id, 0) + want.due
    free = min((w.account_free for w in group if w.account_free is not None), default=sum(due.values()))
    weights = {want.campaign_id: want.weight for want in group}
    seat = _Seat(position, free, max(want.floor for want in group), due, weights)
    return (position, account_id.int), seat


def _position(account_id: UUID) -> int:
    digest = hashlib.blake2b(account_id.bytes, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _POSITION_BITS)


def _turns(ring: list[_Seat], slots: int) -> Iterator[_Seat]:
    """Yield whose turn it is: around the ring until everybody has one and its floor, then around while slots last."""
    left = slots
    stages: tuple[Callable[[_Seat], int], ...] = (lambda seat: max(1, seat.floor), lambda seat: seat.free)
    for goal in stages:
        while left > 0:
            hungry = [seat for seat in ring if seat.wants_more and seat.dealt < goal(seat)][:left]
            if not hungry:
                break
            yield from hungry
            left -= len(hungry)
