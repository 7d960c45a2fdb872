"""The process that owns both servers of a stack; it stops them when its program ends in any way.

Started by `deploy.embedded.stack` as `python -m deploy.embedded.guardian`. It does nothing but start, stop and kill the
servers when told to, and every wait of it also watches the program. On Linux the servers die with it as well. Where
there is no death signal (macOS), a SIGKILL of this very process leaves the servers running.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.account import account_to_drop_to, reachable_program
from deploy.embedded.binaries import ServerPrograms
from deploy.embedded.errors import StackError
from deploy.embedded.folders import StackFolders, open_folders
from deploy.embedded.messages import Message, text_in
from deploy.embedded.owner_link import OwnerLink
from deploy.embedded.process import adopt_orphans, kill_children_but
from deploy.embedded.servers import (
    Server,
    Surroundings,
    forget_dead_postmaster,
    make_cluster,
    postgres_spec,
    redis_spec,
)

if TYPE_CHECKING:
    from deploy.embedded.account import Account

_POLL_S = 0.01
_TAKEOVER_S = 30.0


class OwnerGone(Exception):
    """The program ended while something was awaited."""


class Guardian:
    """Owns the servers of one data directory for one program."""

    def __init__(self, link: OwnerLink) -> None:
        """Serve the program behind `link`."""
        self._link = link
        self._servers: dict[str, Server] = {}
        self._folders: StackFolders | None = None
        self._stopping = False

    def run(self) -> int:
        """Start the servers, obey until the end, stop everything; return the exit code."""
        try:
            self._start(self._await_message())
            self._obey()
        except OwnerGone:
            return 0
        except (StackError, OSError) as error:
            self._link.send({"failed": type(error).__name__, "text": str(error)})
            return 1
        finally:
            self._stop()
        return 0

    def _await_message(self) -> Message:
        while (message := self._link.next_message()) is None:
            if self._link.over:
                raise OwnerGone
            self._link.wait(None)
        return message

    def _pause(self) -> None:
        """Wait a moment, and give up what is awaited when the program ends; only stopping goes on."""
        if self._stopping:
            # Orders that come too late would otherwise cut every wait short.
            while self._link.next_message() is not None:
                continue
        elif self._link.over:
            raise OwnerGone
        self._link.wait(_POLL_S)

    def _start(self, order: Message) -> None:
        account = account_to_drop_to(os.environ)
        programs = _programs(order, account)
        data_dir = Path(text_in(order, "data_dir"))
        folders = open_folders(data_dir, account, self._pause, _TAKEOVER_S)
        self._folders = folders
        around = Surroundings(account, folders.servers_lock_fd, _server_environ(folders.run_dir), self._pause)
        self._servers["redis"] = Server(redis_spec(programs, folders, account), around)
        self._servers["redis"].launch()
        make_cluster(programs, folders, around)
        forget_dead_postmaster(folders)
        self._servers["postgres"] = Server(postgres_spec(programs, folders, account), around)
        self._servers["postgres"].launch()
        for server in self._servers.values():
            server.wait_ready()
        self._report()

    def _report(self) -> None:
        """Tell the program where the servers are; a server that is down has pid 0."""
        pids = {name: server.pid or 0 for name, server in self._servers.items()}
        self._link.send({**pids, "run_dir": str(self._folders.run_dir if self._folders else "")})

    def _obey(self) -> None:
        """Answer every order with a report, or with the reason why it failed."""
        while True:
            order = self._await_message()
            server = self._servers[text_in(order, "server")]
            try:
                if text_in(order, "do") == "kill":
                    server.kill()
                    self._kill_orphans()
                else:
                    self._kill_orphans()
                    server.launch()
                    server.wait_ready()
            except StackError as error:
                self._link.send({"failed": type(error).__name__, "text": str(error)})
            else:
                self._report()

    def _kill_orphans(self) -> None:
        """End what a crashed server left behind; the next one would find the data still in use."""
        kill_children_but({server.pid for server in self._servers.values() if server.pid is not None})

    def _stop(self) -> None:
        """Stop both servers at once, wait for both, and remove every trace but the data."""
        self._stopping = True
        for server in self._servers.values():
            server.ask_to_stop()
        for server in self._servers.values():
            server.wait_stopped()
        kill_children_but(set())
        if self._folders is not None:
            shutil.rmtree(self._folders.run_dir, ignore_errors=True)
        self._link.farewell()


def _programs(order: Message, account: Account | None) -> ServerPrograms:
    paths = (Path(text_in(order, name)) for name in ("postgres_program", "redis_program"))
    return ServerPrograms(*(reachable_program(path, account) for path in paths))


def _server_environ(run_dir: Path) -> dict[str, str]:
    """Return the servers' whole environment: none of the program's settings may reach them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": str(run_dir)}


if __name__ == "__main__":
    adopt_orphans()
    sys.exit(Guardian(OwnerLink.from_arguments()).run())
