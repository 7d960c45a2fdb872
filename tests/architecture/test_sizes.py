"""Files and functions stay small enough to be read at once."""

import ast

from tests.architecture.source import sources

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50


def test_no_file_is_longer_than_300_lines() -> None:
    long = {s.path: len(s.lines) for s in sources() if len(s.lines) > MAX_FILE_LINES}
    assert not long


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{s.path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for s in sources()
        for node in ast.walk(s.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert not long
