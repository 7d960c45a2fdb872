"""The demo's last words: what happened to every lead, one conversation, the recordings, webhooks and minutes."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.demo.client import Json, TrunklineClient
from deploy.demo.proof import dials_without_a_call, verify_webhooks, voices
from deploy.demo.story import ImportReport
from deploy.simulator.process import World


def close_with(
    console: Console,
    client: TrunklineClient,
    world: World,
    *,
    recordings: Path,
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
    _say_import(console, imported)
    heard = _say_conversations(console, client, recordings, campaign_calls, legacy_id)
    proof = verify_webhooks(world.sink("demo"), webhook_secret)
    console.print(
        f"\n[bold]Webhooks[/bold] {proof.verified} verified with the standardwebhooks library, {proof.refused} not: "
        + ", ".join(f"{count} {name}" for name, count in sorted(proof.by_type.items()))
    )
    _say_quota(console, quota_before, client.get("/v1/account/balance"))
    numbers = {call["phone_number"] for call in calls}
    dials = [dial for dial in world.dials() if dial["to"] in numbers and dial["at"] >= world.started_at]
    doubled = dials_without_a_call(dials, calls)
    console.print(
        f"[bold]Proof[/bold] the carrier's own log: {len(dials)} dials for {len(calls)} calls, "
        f"{len(doubled)} numbers dialled that we do not account for"
    )
    kept = not doubled and not proof.refused and not proof.doubled and heard
    console.print("[green]Every promise was kept.[/green]" if kept else "[red]A promise was broken: see above.[/red]")
    return 0 if kept else 1


def _leads_table(leads: list[Json]) -> Table:
    table = Table(title="Outcome per lead, and why the rest were not called", title_justify="left")
    for column in ("number", "name", "zone", "attempts", "state", "outcome", "disposition", "why"):
        table.add_column(column)
    for lead in leads:
        zones = ", ".join(lead["zones"])
        table.add_row(
            lead["phone_number"],
            lead["name"] or "",
            zones,
            str(lead["attempts_used"]),
            lead["state"],
            lead["last_outcome"] or "-",
            lead["disposition"] or "-",
            _why(lead),
        )
    return table


def _why(lead: Json) -> str:
    why: Json | None = lead["why_not"]
    return "" if why is None else f"{why['message']} {why['fix']}"


def _say_import(console: Console, imported: ImportReport) -> None:
    console.print(
        f"[bold]Import[/bold] {imported.rows} rows: {len(imported.lead_ids)} leads, "
        f"{imported.duplicates} duplicate, {len(imported.refused)} refused"
    )
    for fault in imported.refused:
        console.print(f"  row {fault['index'] + 1}: {fault['path']}: {fault['message']}", markup=False)


def _say_conversations(
    console: Console, client: TrunklineClient, recordings: Path, calls: list[Json], legacy_id: str
) -> bool:
    talked = [call for call in calls if call["outcome"] == "human"]
    shown = [*talked[:1], client.get(f"/v1/calls/{legacy_id}")]
    both_voices = bool(talked)
    for call in shown:
        record = client.get(f"/v1/calls/{call['call_id']}")
        mode = "legacy" if call["call_id"] == legacy_id else "realtime"
        console.print(f"\n[bold]Transcript[/bold] {record['phone_number']} ({mode}, {record['end_reason']})")
        for line in record["transcript"]:
            speaker = "agent " if line["user"] == "assistant" else "callee"
            console.print(f"  {speaker}  {line['text']}", markup=False)
        console.print(f"  summary: {record['call_summary']}", markup=False)
        console.print(f"  analysis: {record['analysis']}", markup=False)
    console.print("\n[bold]Recordings[/bold] stereo, callee left, agent right")
    for call in [*talked, *shown[1:]]:
        path = recordings / call["account_id"] / f"{call['call_id']}.wav"
        callee, agent = voices(path)
        both_voices = both_voices and bool(callee.strip()) and bool(agent.strip())
        console.print(f"  {path}  callee: {callee[:28]!r}  agent: {agent[:28]!r}", markup=False)
    return both_voices


def _say_quota(console: Console, before: Json, after: Json) -> None:
    console.print(
        f"[bold]Quota[/bold] minutes before {before['remaining']}, after {after['remaining']} "
        f"(used {after['used']}, still reserved {after['reserved']})"
    )
