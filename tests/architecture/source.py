"""The project's own source files, parsed once for the architecture tests."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schema", "dispatcher", "media", "api", "deploy", "bench", "tests")


@dataclass(frozen=True)
class Source:
    """One Python file: its path relative to the repository, its lines and its tree."""

    path: str
    lines: tuple[str, ...]
    tree: ast.Module


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the project but generated migrations."""
    found = []
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if path.startswith("schema/migrations/versions/"):
                continue
            text = file.read_text(encoding="utf-8")
            found.append(Source(path, tuple(text.splitlines()), ast.parse(text)))
    return tuple(found)


def imported(tree: ast.Module) -> set[str]:
    """Names of all modules a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names


def calls(tree: ast.Module) -> list[tuple[str, int, ast.Call]]:
    """Every call as (dotted name, line, node)."""
    return [(ast.unparse(n.func), n.lineno, n) for n in ast.walk(tree) if isinstance(n, ast.Call)]
