"""`make up`: start Trunkline for real use, with real vendors where keys are set and simulated ones, named, where not.

Example:
  make up                    everything on this machine, embedded PostgreSQL and Valkey
  WEB_PORT=8080 make up      the API on another port
"""

import os
import queue
import signal
import sys
import time
from contextlib import ExitStack
from types import FrameType

from rich.console import Console

from api.keys import create_key
from deploy.demo.client import TrunklineClient
from deploy.embedded.stack import running_stack
from deploy.embedded.supervisor import EventKind, ProcessEvent, Supervisor
from deploy.launch import DATA_DIR, ROOT, process_env, read_dotenv, simulated_vendors
from deploy.simulator.process import world_process

WEB_PORT = 8000
MEDIA_SLOTS = 20
FIRST_MINUTES = 1000
READY_WITHIN_S = 30.0
ACCOUNT = "default"


def main() -> int:
    """Start everything, print how to use it, and run until interrupted."""
    console = Console()
    for name, value in read_dotenv(ROOT / ".env").items():
        os.environ.setdefault(name, value)
    stopped: queue.SimpleQueue[int] = queue.SimpleQueue()

    def stop(signum: int, _frame: FrameType | None) -> None:
        stopped.put(signum)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)
    with ExitStack() as stack:
        _start(stack, console)
        stopped.get()
        console.print("stopping; live calls may finish first …")
    return 0


def _start(stack: ExitStack, console: Console) -> None:
    servers = stack.enter_context(running_stack(DATA_DIR))
    simulated = simulated_vendors(os.environ)
    world = stack.enter_context(world_process(log_dir=DATA_DIR / "world")) if simulated else None
    web_port = int(os.environ.get("WEB_PORT", str(WEB_PORT)))
    env = process_env(
        database_url=servers.database_url,
        broker_url=servers.redis_url,
        world_url=world.base_url if world else None,
        simulated=simulated,
        web_port=web_port,
        data_dir=DATA_DIR,
        media_slots=int(os.environ.get("MEDIA_SLOTS", str(MEDIA_SLOTS))),
    )
    supervisor = Supervisor(
        ROOT / "Procfile",
        env=env,
        log_dir=DATA_DIR / "logs",
        on_event=lambda event: _tell(console, event),
        grace_s=float(os.environ.get("MEDIA_DRAIN_GRACE_S", "120")) + 5,
    )
    stack.enter_context(supervisor)
    key = create_key(
        servers.database_url,
        account=ACCOUNT,
        minutes=FIRST_MINUTES,
        from_number="+18005551234",
        max_concurrent_calls=100,
        max_calls_per_minute=1_000,
    )
    base = f"http://127.0.0.1:{web_port}"
    _wait_until_ready(TrunklineClient(base, key.api_key))
    console.print(f"API      {base}/v1    docs {base}/docs    metrics {base}/metrics", soft_wrap=True)
    console.print(f"key      {key.api_key}    (shown once)", soft_wrap=True)
    console.print(f"webhooks {key.webhook_secret}", soft_wrap=True)
    console.print(f"logs     {DATA_DIR / 'logs'}", soft_wrap=True)
    for vendor in simulated:
        console.print(f"[yellow]{vendor.name} is SIMULATED: {' and '.join(vendor.needs)} not set[/yellow]")
    console.print("Ctrl-C stops everything.")


def _wait_until_ready(client: TrunklineClient) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not client.ready():
        if time.monotonic() > deadline:
            raise SystemExit(f"the API did not become ready within {READY_WITHIN_S:g} s; see {DATA_DIR / 'logs'}")
        time.sleep(0.1)


def _tell(console: Console, event: ProcessEvent) -> None:
    if event.kind is EventKind.RESTARTED:
        console.print(f"[yellow]{event.name} ended and was started again[/yellow]")


if __name__ == "__main__":
    sys.exit(main())
