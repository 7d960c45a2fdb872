"""Run a whole campaign in a simulated world, print what happened and why, then stop everything.

Examples:
  python -m deploy.demo                      the campaign, start to end
  python -m deploy.demo --kill media.1       the same, with kill -9 of a media worker in the middle
  python -m deploy.demo --kill dispatch.1 --after 3
"""

import argparse
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

from rich.console import Console
from rich.live import Live

from api.keys import create_key
from deploy.demo.client import Json, TrunklineClient
from deploy.demo.report import close_with
from deploy.demo.running import Running, running_everything
from deploy.demo.screen import OPEN, progress_view
from deploy.demo.story import (
    CAMPAIGN_RUNS_FOR,
    WITH_A_KILL_IT_RUNS_FOR,
    call_in_legacy_mode,
    create_campaign,
    import_leads,
)
from deploy.embedded.supervisor import EventKind, ProcessEvent

MINUTES = 500
LOOK_EVERY_S = 0.5
START_WITHIN_S = 30.0
END_WITHIN_S = 200.0
POST_WITHIN_S = 15.0
MAX_RESTARTS = 4


def main() -> int:
    """Run the demo; 0 when every promise was kept."""
    arguments = _arguments()
    console = Console()
    events: list[str] = []
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        with running_everything(lambda text: console.print(f"[dim]· {text}[/dim]"), _noting(events)) as running:
            return _run(running, console, events, arguments)
    except KeyboardInterrupt:
        console.print("[yellow]stopped; nothing is left running[/yellow]")
        return 130


def _run(running: Running, console: Console, events: list[str], arguments: argparse.Namespace) -> int:
    account = f"demo {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    created = create_key(
        running.database_url,
        account=account,
        minutes=MINUTES,
        from_number="+18005551234",
        max_concurrent_calls=100,
        max_calls_per_minute=1_000,
    )
    client = TrunklineClient(running.api_url, created.api_key)
    _wait(client.ready, START_WITHIN_S, "the API did not become ready; see .trunkline/logs")
    console.print(f"[dim]· API at {running.api_url} (docs at {running.api_url}/docs)[/dim]")
    quota_before = client.get("/v1/account/balance")
    imported = import_leads(client)
    sink_url = running.world.sink_url("demo")
    runs_for = WITH_A_KILL_IT_RUNS_FOR if arguments.kill else CAMPAIGN_RUNS_FOR
    campaign_id = create_campaign(client, imported, now=datetime.now(UTC), runs_for=runs_for, webhook_url=sink_url)
    legacy_id = call_in_legacy_mode(client, webhook_url=sink_url)
    client.post(f"/v1/campaigns/{campaign_id}/start")
    _watch(client, campaign_id, console, events, _killer(running, arguments, events))
    _wait(lambda: _all_reported(client), POST_WITHIN_S, "some calls are not analysed yet; see .trunkline/logs")
    return close_with(
        console,
        client,
        running.world,
        recordings=running.data_dir / "recordings",
        database_url=running.database_url,
        imported=imported,
        campaign_id=campaign_id,
        legacy_id=legacy_id,
        quota_before=quota_before,
        webhook_secret=created.webhook_secret,
    )


def _watch(
    client: TrunklineClient, campaign_id: str, console: Console, events: list[str], each_look: Callable[[float], None]
) -> None:
    started = time.monotonic()
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while (elapsed_s := time.monotonic() - started) < END_WITHIN_S:
            each_look(elapsed_s)
            _give_up_on_crashes(events)
            leads = client.pages(f"/v1/campaigns/{campaign_id}/leads")
            calls = client.get("/v1/calls", campaign_id=campaign_id, status="in_progress", limit=50)["data"]
            live.update(progress_view(leads, calls, elapsed_s, events))
            campaign = client.get(f"/v1/campaigns/{campaign_id}")
            if campaign["status"] == "completed" and not any(lead["state"] in OPEN for lead in leads):
                return
            time.sleep(LOOK_EVERY_S)
    raise SystemExit("the campaign did not end in time; see .trunkline/logs")


def _killer(running: Running, arguments: argparse.Namespace, events: list[str]) -> Callable[[float], None]:
    waiting = [arguments.kill] if arguments.kill else []

    def look(elapsed_s: float) -> None:
        if waiting and elapsed_s >= arguments.after:
            name = waiting.pop()
            running.kill(name)
            events.append(f"kill -9 {name}")

    return look


def _all_reported(client: TrunklineClient) -> bool:
    calls: list[Json] = client.pages("/v1/calls")
    return all(call["completed"] or call["status"] in {"failed", "cancelled"} for call in calls)


def _noting(events: list[str]) -> Callable[[ProcessEvent], None]:
    def note(event: ProcessEvent) -> None:
        if event.kind is EventKind.RESTARTED:
            events.append(f"{event.name} ended and was started again")

    return note


def _give_up_on_crashes(events: list[str]) -> None:
    restarts = Counter(event for event in events if event.endswith("started again"))
    for event, times in restarts.items():
        if times > MAX_RESTARTS:
            name = event.split()[0]
            raise SystemExit(f"{name} keeps ending; see .trunkline/logs/{name}.log")


def _wait(ready: Callable[[], bool], within_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit(otherwise)
        time.sleep(0.1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kill", metavar="NAME", help="process to kill -9 on the way, e.g. media.1, dispatch.1, beat.1"
    )
    parser.add_argument("--after", type=float, default=8.0, metavar="S", help="seconds after the start (default 8)")
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
