"""One supervised process: started, waiting to be started again, or down for good.

Decides the growing delay between an end and the next start; knows neither its neighbours nor who asks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from deploy.embedded.logs import open_log
from deploy.embedded.plan import ProcessPlan
from deploy.embedded.process import ChildSetup, spawn

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
GOOD_LIFE_S = 10.0


def next_delay_s(previous_s: float | None, lived_s: float) -> float:
    """Return how long to wait before the next start: doubled each time, from the beginning after a good life."""
    if previous_s is None or lived_s >= GOOD_LIFE_S:
        return FIRST_DELAY_S
    return min(previous_s * 2, LONGEST_DELAY_S)


class Ward:
    """One process of the plan: running, or waiting to be started at `due_at` (monotonic)."""

    def __init__(self, plan: ProcessPlan, cwd: Path) -> None:
        """Describe the process; nothing runs yet."""
        self.plan = plan
        self.child: subprocess.Popen[bytes] | None = None
        self.due_at: float | None = None
        self._setup = ChildSetup(on_parent_death=signal.SIGKILL, cwd=cwd)
        self._started_at = 0.0
        self._delay_s: float | None = None

    @property
    def pid(self) -> int:
        """Return the pid, 0 while the process is down."""
        return self.child.pid if self.child else 0

    def start(self) -> None:
        """Execute the program.

        Raises:
            OSError: it cannot be executed, or its log cannot be written.
        """
        self.due_at = None
        self._started_at = time.monotonic()
        log_fd = open_log(Path(self.plan.log))
        try:
            self.child = spawn(self.plan.argv, self.plan.environ, log_fd, self._setup)
        finally:
            os.close(log_fd)

    def bury(self, returncode: int) -> None:
        """Note that the process has ended and was reaped."""
        if self.child:
            self.child.returncode = returncode
            self.child = None

    def schedule_restart(self) -> float:
        """Set `due_at` after an end and return the delay in seconds."""
        now = time.monotonic()
        self._delay_s = next_delay_s(self._delay_s, now - self._started_at)
        self.due_at = now + self._delay_s
        return self._delay_s

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the program itself; a process that is paused is woken to receive it."""
        if self.child:
            os.kill(self.child.pid, signal.SIGTERM)
            os.kill(self.child.pid, signal.SIGCONT)
