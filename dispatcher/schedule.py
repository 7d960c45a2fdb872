"""When beat rings: a few short intervals in UTC. What each job does is `dispatcher.services.tick`.

Two beats do no harm, because each tick is a unique row; ticks nobody took in time expire, so that a stopped worker
finds no flood.
"""

from dispatcher.services.tick import INTERVALS_S
from dispatcher.task_names import DISPATCH_QUEUE, TICK

EXPIRES_AFTER_TICKS = 3
EXPIRES_AT_LEAST_S = 5


def beat_schedule() -> dict[str, dict[str, object]]:
    """Return beat's entries, one per job."""
    return {
        job.value: {
            "task": TICK,
            "schedule": float(interval_s),
            "args": (job.value,),
            "options": {
                "queue": DISPATCH_QUEUE,
                "expires": max(EXPIRES_AT_LEAST_S, EXPIRES_AFTER_TICKS * interval_s),
            },
        }
        for job, interval_s in INTERVALS_S.items()
    }
