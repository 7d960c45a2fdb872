"""Dealing slots: nobody waits longer than the bound, nothing is dealt twice, shares follow the weights."""

from collections import Counter
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.rules.shares import Want, deal

SPACE = UUID(int=7)
BIGINT_MAX = 2**63 - 1


def account(n: int) -> UUID:
    return UUID(int=n)


def campaign(n: int, k: int) -> UUID:
    return uuid5(SPACE, f"{n}/{k}")


@st.composite
def wants(draw: st.DrawFn) -> tuple[Want, ...]:
    """Draw the wants of up to 12 accounts with up to 3 campaigns each."""
    found = []
    for n in range(draw(st.integers(0, 12))):
        floor = draw(st.integers(0, 5))
        account_free = draw(st.none() | st.integers(0, 20))
        found += [
            Want(account(n), campaign(n, k), draw(st.integers(0, 9)), draw(st.integers(1, 9)), floor, account_free)
            for k in range(draw(st.integers(1, 3)))
        ]
    return tuple(found)


cursors = st.integers(0, BIGINT_MAX)


@settings(max_examples=300, deadline=None)
@given(wants(), st.integers(0, 60), cursors)
def test_slots_are_dealt_once_and_only_to_those_who_want_them(
    wanted: tuple[Want, ...], slots: int, cursor: int
) -> None:
    given_slots, after = deal(wanted, slots, cursor)
    due = {want.campaign_id: want.due for want in wanted}
    takeable: Counter[UUID] = Counter()
    free = {want.account_id: want.account_free for want in wanted}
    for want in wanted:
        takeable[want.account_id] += want.due
    total = sum(n if free[a] is None else min(n, free[a] or 0) for a, n in takeable.items())
    assert sum(given_slots.values()) == min(slots, total)
    assert all(0 < n <= due[key] for key, n in given_slots.items())
    for owner, limit in free.items():
        got = sum(given_slots.get(want.campaign_id, 0) for want in wanted if want.account_id == owner)
        assert limit is None or got <= limit
    assert 0 <= after <= BIGINT_MAX
    assert deal(tuple(reversed(wanted)), slots, cursor) == (given_slots, after)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 25), st.integers(1, 30), cursors, st.data())
def test_nobody_waits_longer_than_accounts_by_slots(
    accounts: int, slots: int, cursor: int, data: st.DataObject
) -> None:
    """With T accounts due and S free slots per tick everybody is served at least once in any ceil(T/S) ticks."""
    floors = [data.draw(st.integers(0, 5)) for _ in range(accounts)]
    due = [data.draw(st.integers(1, 40)) for _ in range(accounts)]
    wanted = tuple(Want(account(n), campaign(n, 0), due[n], 1, floors[n]) for n in range(accounts))
    bound = -(-accounts // slots)
    waited = [0] * accounts
    for _ in range(4 * bound):
        given_slots, cursor = deal(wanted, slots, cursor)
        for n in range(accounts):
            waited[n] = 0 if campaign(n, 0) in given_slots else waited[n] + 1
            assert waited[n] < bound


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 15), st.integers(1, 6), cursors, st.data())
def test_newcomers_and_leavers_do_not_stretch_the_wait(
    accounts: int, slots: int, cursor: int, data: st.DataObject
) -> None:
    """The bound holds for an account that stays due, counted over every account seen while it waited."""
    seen: set[int] = set()
    waited = 0
    for _ in range(20):
        others = data.draw(st.sets(st.integers(1, accounts)))
        seen |= {0, *others}
        wanted = tuple(Want(account(n), campaign(n, 0), 5) for n in {0, *others})
        given_slots, cursor = deal(wanted, slots, cursor)
        if campaign(0, 0) in given_slots:
            seen, waited = set(), 0
        else:
            waited += 1
            assert waited < -(-len(seen) // slots)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10), st.integers(1, 10), st.integers(1, 7), st.integers(1, 4), cursors)
def test_an_accounts_campaigns_share_by_weight(one: int, other: int, slots: int, ticks_apart: int, cursor: int) -> None:
    """Over many ticks each campaign's part is its weight's, also when the account is served only now and then."""
    mine = (Want(account(1), campaign(1, 0), 99, one), Want(account(1), campaign(1, 1), 99, other))
    theirs = (Want(account(2), campaign(2, 0), 99),)
    got: Counter[UUID] = Counter()
    for tick in range(400):
        given_slots, cursor = deal(mine if tick % ticks_apart == 0 else theirs, slots, cursor)
        got.update(given_slots)
    total = got[campaign(1, 0)] + got[campaign(1, 1)]
    expected = total * one / (one + other)
    assert abs(got[campaign(1, 0)] - expected) <= max(12, 0.12 * total)
    assert got[campaign(1, 0)] > 0
    assert got[campaign(1, 1)] > 0


def test_floors_come_before_others_second_slots() -> None:
    wanted = (
        Want(account(1), campaign(1, 0), 9, 1, 3),
        Want(account(2), campaign(2, 0), 9),
        Want(account(3), campaign(3, 0), 9),
    )
    given_slots, _ = deal(wanted, 6, 0)
    assert given_slots == {
        campaign(1, 0): 3,
        campaign(2, 0): given_slots[campaign(2, 0)],
        campaign(3, 0): 3 - given_slots[campaign(2, 0)],
    }
    assert set(given_slots.values()) == {3, 2, 1}
