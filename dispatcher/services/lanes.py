"""How many senders each receiver may occupy, so that a slow one delays nobody else. Pure.

A lane is one host of one account. A lane with failures behind it gets a single sender, and all such lanes together few;
an account's many hosts share its own allowance. Healthy receivers are served in the order their rows became due.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dispatcher.store.deliveries import Lane


@dataclass(frozen=True, slots=True)
class Widths:
    """Most senders at once: per lane, per lane with failures, per account, over all lanes with failures, in all."""

    lane: int = 2
    troubled_lane: int = 1
    account: int = 4
    troubled: int = 3
    total: int = 32


def share_senders(lanes: Sequence[Lane], widths: Widths) -> tuple[tuple[Lane, int], ...]:
    """Deal free senders to lanes with due rows, the longest due first; counts those that already send."""
    in_account: Counter[UUID] = Counter()
    for lane in lanes:
        in_account[lane.account_id] += lane.leased
    in_all = sum(lane.leased for lane in lanes)
    in_trouble = sum(lane.leased for lane in lanes if lane.troubled)
    dealt: list[tuple[Lane, int]] = []
    for _, lane in sorted(((lane.due_at, lane) for lane in lanes if lane.due_at is not None), key=lambda due: due[0]):
        free = min(
            (widths.troubled_lane if lane.troubled else widths.lane) - lane.leased,
            widths.account - in_account[lane.account_id],
            widths.total - in_all,
            widths.troubled - in_trouble if lane.troubled else widths.total,
        )
        if free <= 0:
            continue
        dealt.append((lane, free))
        in_account[lane.account_id] += free
        in_all += free
        in_trouble += free if lane.troubled else 0
    return tuple(dealt)
