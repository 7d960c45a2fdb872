"""How many call seconds to hold and to bill: integer arithmetic on one call.

Does not know balances or ledgers. A call ended by a fault that is not the account's or the callee's costs nothing.
"""

import math

from schema.outcomes import END_REASON_FAULTS, UNBILLED_FAULTS, EndReason


def hold_for(max_duration_minutes: float) -> int:
    """Return the seconds to hold for a call of at most this length, rounded up."""
    return math.ceil(round(max_duration_minutes * 60, 6))


def billed(talked_s: float, rounding_s: int, hold_s: int, end_reason: EndReason) -> int:
    """Return the seconds to bill: talk time rounded up to the account's step, never more than was held."""
    if talked_s <= 0 or END_REASON_FAULTS[end_reason] in UNBILLED_FAULTS:
        return 0
    steps = math.ceil(talked_s / rounding_s)
    return min(steps * rounding_s, hold_s)
