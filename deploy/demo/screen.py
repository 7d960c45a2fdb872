"""The demo's live table: how many leads are in which state, and what each live call is doing."""

from collections import Counter
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

STATES = ("pending", "claimed", "in_call", "retry_wait", "completed", "exhausted", "skipped", "expired")
OPEN = frozenset({"pending", "due", "claimed", "in_call", "retry_wait"})
LATEST_EVENTS = 6

Json = dict[str, Any]


def progress_view(leads: list[Json], calls: list[Json], elapsed_s: float, events: list[str]) -> RenderableType:
    """Draw one look at the campaign."""
    states = Counter(lead["state"] for lead in leads)
    done = sum(count for state, count in states.items() if state not in OPEN)
    table = Table(title=f"Campaign after {elapsed_s:4.0f} s", title_justify="left", expand=False)
    for state in STATES:
        table.add_column(state, justify="right")
    table.add_row(*(str(states.get(state, 0)) for state in STATES))
    live = [call for call in calls if call["status"] == "in_progress"]
    lines = [Text(f"  on the phone: {call['phone_number']}", style="green") for call in live[:LATEST_EVENTS]]
    more = len(live) - len(lines)
    if more > 0:
        lines.append(Text(f"  and {more} more", style="green"))
    noted = [Text(f"  {event}", style="yellow") for event in events[-LATEST_EVENTS:]]
    return Group(table, ProgressBar(total=max(len(leads), 1), completed=done, width=60), *lines, *noted)
