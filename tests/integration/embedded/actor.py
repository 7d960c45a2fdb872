"""A process to be supervised. `python actor.py DIARY NAME TRAIT...` writes what happens to it into DIARY, then waits.

Traits: `obstinate` ignores SIGTERM, `parent` has a child in its group, `daemon` has a child in a session of its own,
`brief` ends at once, `shows:VARIABLE` writes a variable of its environment.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

diary, name, *traits = sys.argv[1:]


def note(text: str) -> None:
    with Path(diary).open("a") as file:
        file.write(f"{name} {text}\n")


def leave(_signum: int, _frame: object) -> None:
    note("leaves")
    sys.exit(0)


if "obstinate" in traits:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, leave)
if "parent" in traits or "daemon" in traits:
    command = [sys.executable, __file__, diary, f"{name}-child", "obstinate"]
    subprocess.Popen(command, start_new_session="daemon" in traits)
for trait in traits:
    if trait.startswith("shows:"):
        variable = trait.removeprefix("shows:")
        note(f"{variable}={os.environ.get(variable)}")
note(f"runs {os.getpid()}")
while "brief" not in traits:
    signal.pause()
