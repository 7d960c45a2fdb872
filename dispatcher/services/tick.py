"""The periodic jobs: which there are, how often, and that each tick of one is run once, whoever rings.

A tick is the stretch of the database's clock it falls in; taking its row comes first, in a transaction of its own, so
that doubled beats and doubled messages find it taken. A tick that fails is not repeated: the next one is near.
"""

from collections.abc import Callable
from enum import StrEnum

import structlog

from dispatcher.announce import Announcer
from dispatcher.errors import UnknownJob
from dispatcher.services.analyse import sweep_posts
from dispatcher.services.claim import claim_due
from dispatcher.services.deliver import sweep_deliveries
from dispatcher.services.finish import advance_campaigns
from dispatcher.services.pausing import resume_paid
from dispatcher.services.rescue import rescue
from dispatcher.store.db import Database
from dispatcher.store.leftovers import delete_leftovers
from dispatcher.store.ticks import take_slot

log = structlog.get_logger()


class Job(StrEnum):
    """What beat rings for."""

    CLAIM = "claim"
    DELIVER = "deliver"
    POST = "post"
    RESCUE = "rescue"
    CAMPAIGNS = "campaigns"
    HOUSEKEEPING = "housekeeping"


INTERVALS_S: dict[Job, int] = {
    Job.CLAIM: 1,
    Job.DELIVER: 1,
    Job.POST: 2,
    Job.RESCUE: 5,
    Job.CAMPAIGNS: 5,
    Job.HOUSEKEEPING: 60,
}


def run_tick(db: Database, announcer: Announcer, name: str) -> bool:
    """Run a job's present tick; False when it has been taken already.

    Raises:
        UnknownJob: there is no job of that name.
    """
    try:
        job = Job(name)
    except ValueError:
        raise UnknownJob(name) from None
    with db.transaction() as tx:
        if not take_slot(tx, job.value, INTERVALS_S[job]):
            return False
    touched = _WORK[job](db, announcer)
    if touched:
        log.debug("tick_ran", job=job.value, touched=touched)
    return True


def _move_campaigns(db: Database, _announcer: Announcer) -> int:
    return advance_campaigns(db) + resume_paid(db)


def _clean(db: Database, _announcer: Announcer) -> int:
    with db.transaction() as tx:
        return delete_leftovers(tx)


_WORK: dict[Job, Callable[[Database, Announcer], int]] = {
    Job.CLAIM: claim_due,
    Job.DELIVER: sweep_deliveries,
    Job.POST: sweep_posts,
    Job.RESCUE: rescue,
    Job.CAMPAIGNS: _move_campaigns,
    Job.HOUSEKEEPING: _clean,
}
