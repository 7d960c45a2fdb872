"""The process that owns the processes of a Procfile: starts, restarts and stops them for one program.

Started by `deploy.embedded.supervisor` as `python -m deploy.embedded.keeper`. Rules: a process that ends is started
again with growing delay; what it leaves in its group is killed first, since it may hold the port; stopping goes stage
by stage from the last to the first; when the program is gone everything ends within seconds. One thread, one wait.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.events import EventKind, ProcessEvent
from deploy.embedded.messages import Message, number_in, text_in
from deploy.embedded.owner_link import OwnerLink
from deploy.embedded.plan import Plan
from deploy.embedded.process import adopt_orphans, exit_status, kill_children_but, kill_group
from deploy.embedded.ward import Ward

if TYPE_CHECKING:
    from collections.abc import Sequence

_HASTY_GRACE_S = 2.0
_KILLED_LOOK_S = 0.2
_CANNOT_EXECUTE = 127


class EndAsked(Exception):
    """The program is gone or wants everything stopped."""


class Keeper:
    """Carries out one plan for the program behind `link`."""

    def __init__(self, link: OwnerLink, plan: Plan) -> None:
        """Prepare; nothing runs yet."""
        cwd = Path(plan.cwd)
        self._link = link
        self._grace_s = plan.grace_ms / 1000
        self._release = Ward(plan.release, cwd) if plan.release else None
        self._wards = [Ward(each, cwd) for each in plan.processes]
        self._release_status = 0
        self._stopping = False
        self._end_asked = False
        self._hurried = False

    def run(self) -> int:
        """Run until the end is asked for, then stop everything; return the exit code."""
        try:
            if self._run_release() != 0:
                return 1
            for ward in self._wards:
                self._launch(ward, EventKind.STARTED)
            self._tell(ProcessEvent(EventKind.READY))
            while True:
                self._turn()
        except EndAsked:
            return 0
        finally:
            self._stop_all()

    def _run_release(self) -> int:
        if self._release is not None:
            self._launch(self._release, EventKind.STARTED)
            while self._release.child:
                self._turn()
        return self._release_status

    def _turn(self) -> None:
        """Wait for one thing to happen and deal with it."""
        due = [ward.due_at for ward in self._wards if ward.due_at is not None]
        self._link.wait(max(0.0, min(due) - time.monotonic()) if due else None)
        self._reap()
        self._take_orders()
        if self._end_asked or self._link.over:
            raise EndAsked
        now = time.monotonic()
        for ward in self._wards:
            if ward.due_at is not None and ward.due_at <= now:
                self._launch(ward, EventKind.RESTARTED)

    def _tell(self, event: ProcessEvent) -> None:
        self._link.send(event.to_message())

    def _launch(self, ward: Ward, kind: EventKind) -> None:
        try:
            ward.start()
        except OSError:
            self._note_end(ward, 0, _CANNOT_EXECUTE)
        else:
            self._tell(ProcessEvent(kind, ward.plan.name, ward.pid))

    def _reap(self) -> None:
        """Note every child that has ended; adopted ones are only taken off the process table."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            ward = next((each for each in self._everyone() if each.pid == pid), None)
            if ward is not None:
                returncode = os.waitstatus_to_exitcode(status)
                ward.bury(returncode)
                kill_group(pid)
                self._note_end(ward, pid, exit_status(returncode))

    def _everyone(self) -> list[Ward]:
        return [*([self._release] if self._release else []), *self._wards]

    def _note_end(self, ward: Ward, pid: int, exit_code: int) -> None:
        name = ward.plan.name
        if self._stopping:
            self._tell(ProcessEvent(EventKind.STOPPED, name, pid, exit_code))
        elif ward is not self._release:
            delay_ms = round(ward.schedule_restart() * 1000)
            self._tell(ProcessEvent(EventKind.EXITED, name, pid, exit_code, delay_ms))
        else:
            self._release_status = exit_code
            kind = EventKind.RELEASE_FAILED if exit_code else EventKind.STOPPED
            self._tell(ProcessEvent(kind, name, pid, exit_code))

    def _take_orders(self) -> None:
        while (order := self._link.next_message()) is not None:
            if text_in(order, "do") == "signal":
                self._deliver(order)
            else:
                # Asked a second time while it stops: without further patience.
                self._hurried = self._stopping
                self._end_asked = True

    def _deliver(self, order: Message) -> None:
        name = text_in(order, "name")
        pid = next((ward.pid for ward in self._wards if ward.plan.name == name), 0)
        if pid:
            os.kill(pid, number_in(order, "signum"))
        self._tell(ProcessEvent(EventKind.SIGNALLED, name, pid))

    def _stop_all(self) -> None:
        """Stop stage by stage, or all at once when the program is gone; leave no descendant."""
        self._stopping = True
        everyone = self._everyone()
        for stage in sorted({ward.plan.stage for ward in everyone}, reverse=True):
            members = [ward for ward in everyone if ward.plan.stage == stage]
            self._stop(members, self._grace_s, patient=True)
            if self._cut_short(patient=True):
                break
            self._kill(members)
        self._stop(everyone, min(self._grace_s, _HASTY_GRACE_S), patient=False)
        self._kill(everyone)
        kill_children_but(set())
        self._tell(ProcessEvent(EventKind.DONE))
        self._link.farewell()

    def _cut_short(self, *, patient: bool) -> bool:
        return self._hurried or (patient and self._link.owner_lost)

    def _stop(self, wards: Sequence[Ward], grace_s: float, *, patient: bool) -> None:
        if self._cut_short(patient=patient):
            return
        for ward in wards:
            ward.ask_to_stop()
        deadline = time.monotonic() + grace_s
        while any(ward.child for ward in wards) and not self._cut_short(patient=patient):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return
            self._link.wait(left_s)
            self._reap()
            self._take_orders()

    def _kill(self, wards: Sequence[Ward]) -> None:
        for ward in wards:
            if ward.child:
                self._tell(ProcessEvent(EventKind.KILLED, ward.plan.name, ward.pid))
                kill_group(ward.pid)
        while any(ward.child for ward in wards):
            self._link.wait(_KILLED_LOOK_S)
            self._reap()
            self._take_orders()


def main() -> int:
    """Receive the plan and carry it out."""
    link = OwnerLink.from_arguments()
    adopt_orphans()
    while (message := link.next_message()) is None:
        if link.over:
            return 0
        link.wait(None)
    return Keeper(link, Plan.from_message(message)).run()


if __name__ == "__main__":
    sys.exit(main())
