"""Every process of the Procfile, started without its configuration: it names all that is missing, and stops."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.launch import ROOT

BAD_CONFIGURATION = 2
PROCESSES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines() if line)
MISSING = {
    "release": {"DATABASE_URL"},
    "web": {"DATABASE_URL", "REDIS_URL"},
    "beat": {"DATABASE_URL", "REDIS_URL"},
    "dispatch": {"DATABASE_URL", "REDIS_URL"},
    "post": {"DATABASE_URL", "REDIS_URL"},
    "media": {
        "DATABASE_URL",
        "REDIS_URL",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "OPENAI_API_KEY",
        "MEDIA_PUBLIC_URL",
    },
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Start every process with an empty environment, side by side; how each ended and what it said."""
    folder = tmp_path_factory.mktemp("start-up")
    started = {name: _start(command, folder) for name, command in PROCESSES.items()}
    said = {name: process.communicate(timeout=60)[1] for name, process in started.items()}
    return {name: (process.returncode, said[name]) for name, process in started.items()}


def test_every_process_of_the_procfile_is_tried() -> None:
    assert set(PROCESSES) == set(MISSING)


@pytest.mark.parametrize("name", sorted(MISSING))
def test_a_process_without_its_configuration_stops_with_exit_code_2(
    name: str, refusals: dict[str, tuple[int, str]]
) -> None:
    code, _ = refusals[name]
    assert code == BAD_CONFIGURATION


@pytest.mark.parametrize("name", sorted(MISSING))
def test_it_names_everything_that_is_missing_at_once(name: str, refusals: dict[str, tuple[int, str]]) -> None:
    _, said = refusals[name]
    listed = [line for line in said.splitlines() if line.startswith("  - ")]
    assert {line.removeprefix("  - ").partition(":")[0] for line in listed} == MISSING[name]
    assert f"cannot start: {len(listed)} problem(s) in the configuration" in said
    assert all("set it" in line for line in listed)


def _start(command: str, folder: Path) -> "subprocess.Popen[str]":
    """Start a command of the Procfile; its variables stand for harmless values."""
    stand_ins = {"WEB_BIND": "127.0.0.1:0", "BEAT_SCHEDULE_FILE": str(folder / "beat"), "MEDIA_SLOTS": "1"}
    for variable, value in {**stand_ins, "WORKER_INDEX": "1"}.items():
        command = command.replace(f"${variable}", value)
    program, *arguments = shlex.split(command)
    return subprocess.Popen(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=ROOT,
        env={"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
