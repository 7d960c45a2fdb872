"""The directions between packages hold, and ARCHITECTURE.md names only what exists."""

import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_every_path_named_in_the_guides_exists() -> None:
    pattern = re.compile(r"`((?:schema|dispatcher|media|api|deploy|tests|bench|docs)/[\w./-]*)`")
    named = {
        (guide, path)
        for guide in ("ARCHITECTURE.md", "README.md")
        for path in pattern.findall((ROOT / guide).read_text(encoding="utf-8"))
    }
    assert named
    missing = {(guide, path) for guide, path in named if not (ROOT / path).exists()}
    assert not missing
