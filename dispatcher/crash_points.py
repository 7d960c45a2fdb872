"""Named boundaries at which a process can be made to die, so that tests reach the moment between two commits.

A no-op unless TRUNKLINE_CRASH_DIR names a folder, which no installation sets. There the process that passes a boundary
whose name is a file takes the file away and kills itself; of several that pass at once, one dies.
"""

import os
import signal
from enum import StrEnum
from pathlib import Path

FOLDER = os.environ.get("TRUNKLINE_CRASH_DIR")


class CrashPoint(StrEnum):
    """What is committed when the process dies, and what it has not done yet.

    accept.committed: a direct call exists; the bell is not rung and the request not answered.
    claim.committed: calls are claimed; no media worker is rung for.
    take.committed: a call is `dialing`; the carrier is not asked.
    record.committed: a call's end is written; whether the campaign is done is not looked at.
    delivery.sent: a receiver has answered; that it did is not written.
    """

    ACCEPT_COMMITTED = "accept.committed"
    CLAIM_COMMITTED = "claim.committed"
    TAKE_COMMITTED = "take.committed"
    RECORD_COMMITTED = "record.committed"
    DELIVERY_SENT = "delivery.sent"


def crash_point(point: CrashPoint) -> None:
    """Die here, the way of SIGKILL, when a test has asked for it."""
    if FOLDER is None:
        return
    try:
        Path(FOLDER, point.value).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
