"""Pure code has no clock, no randomness, no I/O; business time never rides on Celery; libraries have one home."""

import ast

import pytest

from tests.architecture.source import calls, imported, sources

PURE = ("dispatcher/rules/", "media/conversation/", "schema/")
IMPURE_MODULES = {"random", "secrets", "socket", "subprocess", "requests", "httpx", "asyncio", "threading"}
CLOCKS = {"datetime.now", "datetime.utcnow", "time.time", "time.monotonic", "time.perf_counter", "date.today"}

HOMES = {
    "sqlalchemy": ("schema/tables/", "schema/migrations/", "dispatcher/store/", "deploy/demo/"),
    "celery": ("dispatcher/", "media/celery_app.py", "media/desk.py", "media/tasks.py"),
    "kombu": ("dispatcher/",),
    "flask": ("api/",),
    "openai": ("media/realtime/", "media/llm/", "dispatcher/chat.py"),
    "deepgram": ("media/stt/", "media/tts/"),
    "httpx": ("dispatcher/egress.py", "dispatcher/pinned.py", "media/carriers/", "deploy/demo/"),
    "phonenumbers": ("dispatcher/rules/",),
    "pytz": ("dispatcher/rules/", "schema/policy.py", "deploy/demo/"),
    "standardwebhooks": ("dispatcher/", "deploy/demo/"),
    "numpy": ("deploy/simulator/", "deploy/demo/"),
}


def _shipped() -> list[tuple[str, set[str]]]:
    return [(s.path, imported(s.tree)) for s in sources() if not s.path.startswith(("tests/", "bench/"))]


def test_pure_code_imports_nothing_impure() -> None:
    found = {
        (path, name)
        for path, names in _shipped()
        for name in names
        if path.startswith(PURE) and not path.startswith("schema/migrations/") and name.split(".")[0] in IMPURE_MODULES
    }
    assert not found


def test_pure_code_reads_no_clock() -> None:
    found = {
        f"{s.path}:{line} {name}"
        for s in sources()
        if s.path.startswith(PURE) and not s.path.startswith("schema/migrations/")
        for name, line, _ in calls(s.tree)
        if name in CLOCKS
    }
    assert not found


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_library_has_one_home(library: str) -> None:
    strays = {
        path
        for path, names in _shipped()
        if any(n == library or n.startswith(f"{library}.") for n in names) and not path.startswith(HOMES[library])
    }
    assert not strays


def test_business_time_never_rides_on_celery() -> None:
    found = {
        f"{s.path}:{line}"
        for s in sources()
        if not s.path.startswith("tests/")
        for name, line, node in calls(s.tree)
        if (
            name.endswith((".retry", ".apply_async", ".send_task"))
            and any(k.arg in {"eta", "countdown"} for k in node.keywords)
        )
        or (s.path.startswith(("dispatcher/", "media/")) and name == "self.retry")
    }
    assert not found


def test_tests_neither_sleep_nor_patch() -> None:
    found = {
        f"{s.path}:{line} {name}"
        for s in sources()
        if s.path.startswith("tests/")
        for name, line, _ in calls(s.tree)
        if name == "time.sleep" or name.startswith(("mock.patch", "monkeypatch.setattr"))
    }
    allowed = {f for f in found if f.startswith("tests/waiting.py")}
    assert found == allowed


def test_broad_except_stands_only_at_the_named_boundaries() -> None:
    found = {
        s.path
        for s in sources()
        if s.path.startswith(("dispatcher/", "media/", "api/"))
        for node in ast.walk(s.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    }
    after_the_commit, heartbeat_thread = "dispatcher/store/db.py", "media/host/heartbeat.py"
    boundaries = {after_the_commit, heartbeat_thread}
    assert found <= boundaries
