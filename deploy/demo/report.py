"""The demo's last words: what happened to every lead, one conversation, the recordings, webhooks and minutes."""

import os
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.demo.client import Json, TrunklineClient
from deploy.demo.proof import dials_without_a_call, verify_webhooks, voices
from deploy.demo.story import ImportReport
from deploy.simulator.process import World

SHOWN_CHARS = 24


def close_with(
    console: Console,
    client: TrunklineClient,
    world: World,
    *,
    recordings: Path,
    database_url: str,
    imported: ImportReport,
    campaign_id: str,
    legacy_id: str,
    quota_before: Json,
    webhook_secret: str,
) -> int:
    """Print the closing report; 0 when webhooks, recordings and the carrier's log agree with our records."""
    leads = client.pages(f"/v1/campaigns/{campaign_id}/leads")
    calls = client.pages("/v1/calls")
    campaign_calls = [call for call in calls if call["campaign_id"] == campaign_id]
    console.print(_leads_table(leads))
    _say_why(console, leads)
    _say_import(console, imported)
    heard = _say_conversations(console, client, recordings, campaign_calls, legacy_id)
    proof = verify_webhooks(world.sink("demo"), webhook_secret)
    console.print(
        f"\n[bold]Webhooks[/bold] {proof.verified} verified with the standardwebhooks library, {proof.refused} not: "
        + ", ".join(f"{count} {name}" for name, count in sorted(proof.by_type.items()))
    )
    _say_quota(console, quota_before, client.get("/v1/account/balance"))
    dials = world.dials()
    doubled = dials_without_a_call(dials, database_url)
    tried = Counter(call["phone_number"] for call in campaign_calls if call["provider_call_id"])
    too_often = [lead["phone_number"] for lead in leads if tried[lead["phone_number"]] > lead["attempts_used"]]
    console.print(
        f"[bold]Proof[/bold] the carrier's own log holds {len(dials)} dials; {len(doubled)} belong to no call of ours, "
        f"{len(too_often)} leads were dialled more often than their attempts say"
    )
    kept = not doubled and not too_often and not proof.refused and not proof.doubled and heard
    console.print("[green]Every promise was kept.[/green]" if kept else "[red]A promise was broken: see above.[/red]")
    return 0 if kept else 1


def _leads_table(leads: list[Json]) -> Table:
    table = Table(title="Outcome per lead", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("number", "name", "zone", "tries", "state", "outcome"):
        table.add_column(column, no_wrap=True)
    for lead in leads:
        zones = ", ".join(zone.split("/")[-1] for zone in lead["zones"])
        outcome = lead["last_outcome"] or "-"
        tries = str(lead["attempts_used"])
        table.add_row(lead["phone_number"], (lead["name"] or "")[:14], zones, tries, lead["state"], outcome)
    return table


def _say_why(console: Console, leads: list[Json]) -> None:
    groups: dict[str, list[str]] = {}
    for lead in leads:
        why: Json | None = lead["why"]
        if why is not None and why["code"] != "REACHED":
            groups.setdefault(f"{why['text']} {why['fix']}", []).append(str(lead["name"] or lead["phone_number"]))
    console.print("[bold]Why the rest were not called, or not again[/bold]")
    for why_text, names in groups.items():
        console.print(f"  {', '.join(names)}: {why_text}", markup=False)


def _say_import(console: Console, imported: ImportReport) -> None:
    console.print(
        f"[bold]Import[/bold] {imported.rows} rows: {len(imported.lead_ids)} leads, "
        f"{imported.duplicates} duplicate, {len(imported.refused)} refused"
    )
    for row in imported.refused:
        fault = row["errors"][0]
        console.print(f"  row {row['index'] + 1}: {fault['path']}: {fault['message']}", markup=False)


def _say_conversations(
    console: Console, client: TrunklineClient, recordings: Path, calls: list[Json], legacy_id: str
) -> bool:
    talked = sorted((call for call in calls if call["outcome"] == "human"), key=lambda call: -call["duration"])
    legacy = client.get(f"/v1/calls/{legacy_id}")
    for call, mode in [*((call, "realtime") for call in talked[:1]), (legacy, "legacy")]:
        _say_transcript(console, client.get(f"/v1/calls/{call['call_id']}"), mode)
    console.print("\n[bold]Recordings[/bold] stereo: callee left, agent right; the voices read back from the audio")
    both = bool(talked)
    for call in [*talked, legacy]:
        path = recordings / call["account_id"] / f"{call['call_id']}.wav"
        callee, agent = (voice.strip() for voice in voices(path))
        both = both and bool(callee) and bool(agent)
        console.print(f"  {_start(callee)} | {_start(agent)}  {os.path.relpath(path)}", markup=False, soft_wrap=True)
    return both


def _say_transcript(console: Console, record: Json, mode: str) -> None:
    console.print(f"\n[bold]Transcript[/bold] {record['phone_number']} ({mode}, {record['end_reason']})")
    for line in record["transcript"]:
        speaker = "agent " if line["user"] == "assistant" else "callee"
        console.print(f"  {speaker}  {line['text']}", markup=False)
    console.print(f"  summary   {record['call_summary']}", markup=False)
    if record["analysis"] is not None:
        console.print(f"  analysis  {record['analysis']}", markup=False)


def _start(text: str) -> str:
    return repr(text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…")


def _say_quota(console: Console, before: Json, after: Json) -> None:
    console.print(
        f"[bold]Quota[/bold] minutes before {before['remaining']}, after {after['remaining']} "
        f"(used {after['used']}, still reserved {after['reserved']})"
    )
