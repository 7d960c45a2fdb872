"""Procfiles of processes that write a diary."""

import shlex
import sys
from functools import partial
from pathlib import Path

from tests.integration.embedded.outside import ACTOR, rows_in
from tests.waiting import wait_for


def actor_line(name: str, *traits: str) -> str:
    """Return the command of an actor that writes to the diary beside its Procfile; see actor.py for the traits."""
    return " ".join([shlex.quote(sys.executable), shlex.quote(str(ACTOR)), "diary", name, *traits])


def a_procfile(folder: Path, **commands: str) -> Path:
    path = folder / "Procfile"
    path.write_text("".join(f"{name}: {command}\n" for name, command in commands.items()))
    return path


def notes(folder: Path, name: str, verb: str) -> list[str]:
    """Return what follows `verb` in the diary rows of one actor."""
    rows = (row.split() for row in rows_in(folder / "diary"))
    return [row[2] for row in rows if row[:2] == [name, verb]]


def wait_until_run(folder: Path, *names: str) -> None:
    for name in names:
        wait_for(partial(notes, folder, name, "runs"), what=f"{name} to run")
