"""What all sessions of one process share: the clocks, the pace clock and the recording writer."""

import asyncio
from dataclasses import dataclass

from media.audio.ambience import GAIN_DB, ambience_of
from media.audio.pace import PaceClock
from media.audio.spool import RecordingDisk
from media.clock import SYSTEM_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Studio:
    """The shared equipment of a media process. Use on the event loop only."""

    clock: Clock
    pace: PaceClock
    disk: RecordingDisk


async def open_studio(clock: Clock = SYSTEM_CLOCK) -> Studio:
    """Set the equipment up on the running loop; background sound is composed now, not during a call."""
    for gain in GAIN_DB:
        ambience_of("office", gain)
    return Studio(clock, PaceClock(asyncio.get_running_loop(), clock.now), RecordingDisk())
