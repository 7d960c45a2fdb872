"""POST /v1/calls on the real web process, beside a bare Flask route with the same model and one INSERT.

Both run under the Procfile's own gunicorn settings on one database. Then the time of an answer at 70 % of the most the
server takes, and with a broker that is dead, or hangs.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psycopg

from api.keys import create_key
from bench.children import Child, Json, wait_until
from bench.databases import plain_url
from bench.measure import Figure, rounds, setting, side_by_side
from deploy.embedded.procfile import read_procfile
from deploy.embedded.stack import StackControl, controlled_stack
from deploy.embedded.supervisor import Supervisor
from deploy.launch import ROOT, VENDORS, free_port, process_env
from schema.migrations.run import upgrade

CONNECTIONS = 16
"""As many as the server has threads."""
ROUND_S = setting("BENCH_ACCEPTS_S", 4, 2)
STEADY_S = setting("BENCH_STEADY_S", 4, 3)
STEADY_SHARE = 0.7
STEADY_CONNECTIONS = 64
CALM_PER_S = 25
CALM_S = setting("BENCH_CALM_S", 10, 4)
START_S = 60.0
MINUTES = 10_000_000
LIVE_CALLS = 100
BARE_TABLE = "create table bare_calls (id uuid primary key, config jsonb not null, created_at timestamptz not null)"
TARGET_RATIO = 0.6
TARGET_SPREAD = 5.0
TARGET_DELAY_MS = 700


@dataclass(frozen=True, slots=True)
class Site:
    """Both servers up, their database and broker, and a client."""

    stack: StackControl
    database: "psycopg.Connection[tuple[object, ...]]"
    ours_url: str
    bare_url: str
    key: str
    load: Child

    def post(
        self, url: str, for_s: float, *, connections: int = CONNECTIONS, per_s: float = 0, kept: bool = True
    ) -> Json:
        """Post calls and return how they were answered; anything but 201 is a fault of the bench."""
        answer = self.load.ask(url=url, key=self.key, connections=connections, for_s=for_s, per_s=per_s, kept=kept)
        if set(answer["statuses"]) != {"201"}:
            raise RuntimeError(f"{url} answered {answer['statuses']}")
        return answer

    def calls(self) -> int:
        """Count the calls that were taken in."""
        row = self.database.execute("select count(*) from calls").fetchone()
        assert row is not None
        return int(str(row[0]))


def run() -> list[Figure]:
    """Measure throughput, then times under steady load, then times without a broker."""
    with _site() as site:
        for url in (site.ours_url, site.bare_url):
            site.post(url, ROUND_S / 2)
        ours, bare = side_by_side(
            lambda: float(site.post(site.ours_url, ROUND_S)["per_s"]),
            lambda: float(site.post(site.bare_url, ROUND_S)["per_s"]),
        )
        steady, bare_steady = _steady_side_by_side(site, ours, bare)
        return [
            Figure(
                "POST /v1/calls",
                "per second",
                f">= {TARGET_RATIO:.0%} of the bare route",
                ours,
                bare,
                "a bare Flask route with the same model and one INSERT",
                met=ours >= TARGET_RATIO * bare,
                note=f"the Procfile's gunicorn, {CONNECTIONS} connections flat out; live calls at the account's cap",
            ),
            *_steady(steady, bare_steady),
            *_without_broker(site),
        ]


def _steady_side_by_side(site: Site, ours: float, bare: float) -> list[Json]:
    """Post at a share of the most each server takes, in turns; every request comes by a connection of its own.

    Kept connections stay with the worker process that happened to accept them, and one of two would get most of the
    load.
    """
    taken = [
        [
            site.post(url, STEADY_S, connections=STEADY_CONNECTIONS, per_s=STEADY_SHARE * rate, kept=False)
            for url, rate in ((site.ours_url, ours), (site.bare_url, bare))
        ]
        for _ in range(rounds())
    ]
    return [
        {q: median(answer[q] for answer in column) for q in ("p50_ms", "p99_ms")} for column in zip(*taken, strict=True)
    ]


def _steady(ours: Json, bare: Json) -> list[Figure]:
    spread = ours["p99_ms"] / ours["p50_ms"]
    at = f"{STEADY_SHARE:.0%} load"
    return [
        Figure(f"answer at {at}, p50", "ms", "(reported)", ours["p50_ms"], bare["p50_ms"], "the bare route"),
        Figure(f"answer at {at}, p99", "ms", "(reported)", ours["p99_ms"], bare["p99_ms"], "the bare route"),
        Figure(
            f"p99 over p50 at {at}",
            "times",
            f"<= {TARGET_SPREAD:g}",
            spread,
            bare["p99_ms"] / bare["p50_ms"],
            "the bare route",
            met=spread <= TARGET_SPREAD,
        ),
    ]


def _without_broker(site: Site) -> list[Figure]:
    """Give the account room for every call, so that each rings the broker, and take the broker away."""
    site.database.execute("update accounts set max_concurrent_calls = 1000000, max_calls_per_minute = 1000000")
    calm = _calm(site)
    redis_pid = site.stack.addresses.redis_pid
    assert redis_pid is not None
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        hanging = _calm(site)
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    site.stack.kill_redis()
    dead = _calm(site)
    return [
        Figure(
            f"worst answer with the broker {what}, over the median with it up",
            "ms",
            f"<= {TARGET_DELAY_MS}, no call lost",
            answer["max_ms"] - calm["p50_ms"],
            met=answer["max_ms"] - calm["p50_ms"] <= TARGET_DELAY_MS and answer["lost"] == 0,
            note=(
                f"p50 {answer['p50_ms']:.1f} ms, p99 {answer['p99_ms']:.1f} ms; with it up {calm['p50_ms']:.1f} and "
                f"{calm['p99_ms']:.1f}; {answer['lost']} of {answer['statuses']['201']} accepted calls lost"
            ),
        )
        for what, answer in (("hanging", hanging), ("dead", dead))
    ]


def _calm(site: Site) -> Json:
    before = site.calls()
    answer = site.post(site.ours_url, CALM_S, per_s=CALM_PER_S, kept=False)
    return answer | {"lost": answer["statuses"]["201"] - (site.calls() - before)}


@contextmanager
def _site() -> Iterator[Site]:
    with TemporaryDirectory() as folder, controlled_stack(Path(folder) / "stack") as stack:
        database_url = stack.addresses.database_url
        upgrade(database_url)
        account = create_key(
            database_url,
            account="bench",
            minutes=MINUTES,
            from_number="+18005551234",
            max_concurrent_calls=LIVE_CALLS,
            max_calls_per_minute=10 * LIVE_CALLS,
        )
        with psycopg.connect(plain_url(database_url), autocommit=True) as database:
            database.execute(BARE_TABLE)
            database.execute(
                "insert into media_workers (id, address, slots, heartbeat_at)"
                " values ('bench', 'ws://bench', 1000000, now() + interval '1 hour')"
            )
            with _servers(stack, Path(folder)) as (ours_url, bare_url):
                load = Child("bench.http_load")
                try:
                    yield Site(stack, database, ours_url, bare_url, account.api_key, load)
                finally:
                    load.close()


@contextmanager
def _servers(stack: StackControl, folder: Path) -> Iterator[tuple[str, str]]:
    """Run the web process of the Procfile, and the bare route by the same command."""
    command = next(entry.command for entry in read_procfile(ROOT / "Procfile") if entry.name == "web")
    procfile = folder / "Procfile"
    bare_command = command.replace("$WEB_BIND", "$BARE_BIND").replace("api.wsgi:app", "bench.bare_web:app")
    procfile.write_text(f"web: {command}\nbare: {bare_command}\n", encoding="utf-8")
    web_port, bare_port = free_port(), free_port()
    env = process_env(
        database_url=stack.addresses.database_url,
        broker_url=stack.addresses.redis_url,
        world_url="http://127.0.0.1:9",
        simulated=VENDORS,
        web_port=web_port,
        data_dir=folder,
        media_slots=1,
    )
    env |= {"BARE_BIND": f"127.0.0.1:{bare_port}", "LOG_LEVEL": "error"}
    ours_url, bare_url = (f"http://127.0.0.1:{port}/v1/calls" for port in (web_port, bare_port))
    with Supervisor(procfile, env=env, log_dir=folder / "logs") as supervisor:
        if not wait_until(lambda: _answers(ours_url) and _answers(bare_url), START_S):
            logs = "\n".join(supervisor.log_path(name).read_text()[-1000:] for name in supervisor.names)
            raise RuntimeError(f"the servers did not start: {logs}")
        yield ours_url, bare_url


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except HTTPError:
        return True
    except (URLError, TimeoutError, ConnectionError):
        return False
