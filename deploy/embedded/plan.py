"""What the supervisor is to run: every instance of every process with its program, environment, log and place in line.

Decides names (`media.1`), which ports step from one instance to the next, and the order of stages. The plan crosses a
process border as JSON, so it also knows how to write and read itself. Runs nothing.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.errors import EmbeddedError, ProcfileError
from deploy.embedded.messages import Message, number_in, text_in
from deploy.embedded.procfile import RELEASE, Entry, invocation_of, read_procfile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    InstanceEnviron = Callable[[str, int, Mapping[str, str]], Mapping[str, str]]

_STEPPED_PORTS = ("PORT", "MEDIA_PORT")


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One instance: `stage` counts the Procfile's entries from 0 and decides the order of stopping."""

    name: str
    stage: int
    argv: tuple[str, ...]
    environ: dict[str, str]
    log: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the keeper needs; `release`, if any, runs to completion before the rest starts."""

    release: ProcessPlan | None
    processes: tuple[ProcessPlan, ...]
    cwd: str
    grace_ms: int

    def to_message(self) -> Message:
        """Return the plan as JSON values."""
        return asdict(self)

    @classmethod
    def from_message(cls, message: Message) -> Plan:
        """Read a plan back.

        Raises:
            EmbeddedError: the message is no plan.
        """
        release = message.get("release")
        return cls(
            release=None if release is None else _process_of(release),
            processes=tuple(_process_of(each) for each in _list_of(message.get("processes"))),
            cwd=text_in(message, "cwd"),
            grace_ms=number_in(message, "grace_ms"),
        )


def _process_of(value: object) -> ProcessPlan:
    fields = _map_of(value)
    return ProcessPlan(
        name=text_in(fields, "name"),
        stage=number_in(fields, "stage"),
        argv=tuple(str(each) for each in _list_of(fields.get("argv"))),
        environ={key: str(each) for key, each in _map_of(fields.get("environ")).items()},
        log=text_in(fields, "log"),
    )


def _list_of(value: object) -> list[object]:
    if not isinstance(value, list):
        raise EmbeddedError("plan without a list where one belongs")
    return value


def _map_of(value: object) -> Message:
    if not isinstance(value, dict):
        raise EmbeddedError("plan without an object where one belongs")
    return value


def worker_environ(_name: str, index: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Give instance `index` (from 1) its WORKER_INDEX and ports of its own; port 0 means any free one and stays."""
    ports = {key: environ[key] for key in _STEPPED_PORTS if environ.get(key, "").isdigit()}
    stepped = {key: str(int(port) + index - 1) for key, port in ports.items() if int(port) > 0}
    return {**stepped, "WORKER_INDEX": str(index)}


def make_plan(
    procfile: Path,
    *,
    scale: Mapping[str, int],
    environ: Mapping[str, str],
    instance_environ: InstanceEnviron,
    log_dir: Path,
    grace_s: float,
    only: Collection[str] | None,
) -> Plan:
    """Lay out every instance of a Procfile; `only` leaves out every other entry, `release` included.

    Raises:
        ProcfileError: a line is wrong, or `scale` or `only` names what is not there.
    """
    entries = read_procfile(procfile)
    _require_known(entries, [*scale, *(only or ())])
    chosen = [entry for entry in entries if only is None or entry.name in only]
    base = {**environ, "PATH": _with_interpreter(environ.get("PATH", os.defpath))}

    def instance(stage: int, entry: Entry, index: int) -> ProcessPlan:
        own = {**base, **instance_environ(entry.name, index, base)}
        command = invocation_of(entry, own)
        name = f"{entry.name}.{index}"
        return ProcessPlan(name, stage, command.argv, command.environ, str(log_dir.resolve() / f"{name}.log"))

    releases = [instance(stage, entry, 1) for stage, entry in enumerate(chosen) if entry.name == RELEASE]
    processes = [
        instance(stage, entry, index)
        for stage, entry in enumerate(chosen)
        if entry.name != RELEASE
        for index in range(1, scale.get(entry.name, 1) + 1)
    ]
    release = releases[0] if releases else None
    return Plan(release, tuple(processes), str(procfile.resolve().parent), round(grace_s * 1000))


def _require_known(entries: tuple[Entry, ...], names: Collection[str]) -> None:
    known = [entry.name for entry in entries]
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ProcfileError(f"no {', '.join(unknown)} in the Procfile; it has {', '.join(known)}")


def _with_interpreter(path: str) -> str:
    """Put the folder of this interpreter first, so that an environment need not be activated."""
    folder = str(Path(sys.executable).parent)
    return path if path.split(os.pathsep, 1)[0] == folder else f"{folder}{os.pathsep}{path}"
