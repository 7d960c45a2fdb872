"""Runs a simulated world as a process of its own, and asks it questions.

For tests, the demo and `make up`: the world is as far from the code under test as a real vendor would be.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

Json = dict[str, Any]

_READY_S: Final = 30.0
_STOP_S: Final = 5.0
_ASK_S: Final = 10.0
_ROOT: Final = Path(__file__).resolve().parents[2]
_OPENER: Final = build_opener(ProxyHandler({}))


class WorldError(RuntimeError):
    """The simulated world did not start, or refused a request of its back door."""


class World:
    """A running world.

    Attributes:
        base_url: Twilio's base; OpenAI's is `openai_url`, Deepgram's is `deepgram_url`.
        started_at: unix seconds.
        pid: of the process.
    """

    def __init__(self, base_url: str, pid: int) -> None:
        self.base_url = base_url
        self.openai_url = f"{base_url}/openai/v1"
        self.deepgram_url = f"{base_url}/deepgram"
        self.started_at = time.time()
        self.pid = pid

    def dials(self) -> list[Json]:
        """Return every dial request, oldest first: {to, from, at, sid, answer}."""
        found: list[Json] = self._ask("GET", "/sim/dials")["dials"]
        return found

    def calls(self, to: str | None = None) -> list[Json]:
        """Return every call, oldest first, or those to one number."""
        found: list[Json] = self._ask("GET", "/sim/calls")["calls"]
        return [call for call in found if to is None or call["to"] == to]

    def call(self, sid: str) -> Json:
        """Return one call."""
        return self._ask("GET", f"/sim/calls/{sid}")

    def arm(self, vendor: str, at: str, kind: str, **how: object) -> None:
        """Arm a fault; see `faults.Fault` for the fields."""
        self._ask("POST", "/sim/faults", {"vendor": vendor, "at": at, "kind": kind, **how})

    def faults(self) -> list[Json]:
        """Return the armed faults and how often each struck."""
        found: list[Json] = self._ask("GET", "/sim/faults")["faults"]
        return found

    def disarm(self) -> None:
        """Disarm all faults."""
        self._ask("DELETE", "/sim/faults")

    def change_callees(self, yaml_text: str) -> None:
        """Replace who answers which number, for calls placed from now on."""
        self._ask("PUT", "/sim/callees", yaml_text)

    def reset(self) -> None:
        """Hang up, and forget calls, dials, deliveries and faults."""
        self._ask("DELETE", "/sim/state")

    def sink_url(self, name: str) -> str:
        """Return the address of a webhook receiver."""
        return f"{self.base_url}/sink/{name}"

    def sink(self, name: str) -> list[Json]:
        """Return what a receiver got, oldest first: {at, status, headers, body}."""
        found: list[Json] = self._ask("GET", f"/sink/{name}")["deliveries"]
        return found

    def answer_sink(
        self, name: str, *statuses: int, delay_s: float = 0.0, headers: Mapping[str, str] | None = None
    ) -> None:
        """Let a receiver answer with these statuses in turn; the last one stays."""
        body = {"statuses": list(statuses) or [200], "delay_s": delay_s, "headers": dict(headers or {})}
        self._ask("PUT", f"/sink/{name}", body)

    def _ask(self, method: str, path: str, body: object = None) -> Json:
        """Ask the back door. Raises WorldError on a refusal."""
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        request = Request(self.base_url + path, data=data, method=method)  # noqa: S310 - always http on loopback
        try:
            with _OPENER.open(request, timeout=_ASK_S) as answer:
                answered: Json = json.loads(answer.read() or b"{}")
        except HTTPError as error:
            raise WorldError(f"{method} {path}: {error.read().decode()}") from error
        return answered


@contextmanager
def world_process(
    *,
    callees: Path | str | None = None,
    log_dir: Path | None = None,
    port: int = 0,
    bench: Sequence[str] = (),
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """Start a world, wait until it is ready, and stop it at the end; it also stops when this process dies.

    Args:
        callees: YAML file of people and numbers; everybody is the shipped `human` without one.
        log_dir: where the world appends its logs.
        port: 0 takes a free one.
        bench: vendors that play canned audio.
        options: further command-line options, e.g. ("--think-ms", "20").
        env: variables on top of this process's own.

    Raises:
        WorldError: it did not become ready.
    """
    command = [sys.executable, "-m", "deploy.simulator", "--stop-with-stdin", "--port", str(port), *options]
    command += ["--callees", str(callees)] if callees else []
    command += ["--log-dir", str(log_dir)] if log_dir else []
    command += ["--bench", ",".join(bench)] if bench else []
    process = subprocess.Popen(
        command,
        cwd=_ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        yield World(_await_ready(process), process.pid)
    finally:
        _stop(process)


def _await_ready(process: "subprocess.Popen[str]") -> str:
    output = process.stdout
    if output is None:
        raise WorldError("the simulated world has no output")
    lines: list[str] = []
    reader = threading.Thread(target=_read_line, args=(output, lines), daemon=True)
    reader.start()
    reader.join(_READY_S)
    if not lines or not lines[0]:
        raise WorldError(f"the simulated world did not start within {_READY_S:g} s (exit status {process.poll()})")
    base_url: str = json.loads(lines[0])["base_url"]
    return base_url


def _read_line(output: IO[str], lines: list[str]) -> None:
    lines.append(output.readline())


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
