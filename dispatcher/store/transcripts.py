"""What was said in a call, one row a turn, written once with the call's result.

Text is kept as heard; only what Postgres cannot hold (NUL, lone surrogates) is taken out. Whether a turn is shown,
summarised or stripped is decided elsewhere.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select

from dispatcher.store.db import Tx
from schema.callspec import Turn
from schema.tables import turns


def storable(text: str) -> str:
    """Drop from `text` what a Postgres text or jsonb value cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def save_turns(tx: Tx, call_id: UUID, said: Sequence[Turn]) -> None:
    """Write the transcript of a call whose turns have not been written before."""
    if not said:
        return
    rows = [
        {
            "call_id": call_id,
            "position": turn.position,
            "speaker": turn.speaker,
            "text": storable(turn.text),
            "started_ms": turn.started_ms,
            "ended_ms": turn.ended_ms,
            "interrupted": turn.interrupted,
            "latency_ms": turn.latency_ms,
        }
        for turn in said
    ]
    tx.connection.execute(insert(turns), rows)


def turns_of(tx: Tx, call_ids: Sequence[UUID]) -> dict[UUID, tuple[Turn, ...]]:
    """Read the transcripts of several calls, each in the order it was spoken; a call without turns is absent."""
    if not call_ids:
        return {}
    query = select(turns).where(turns.c.call_id.in_(call_ids)).order_by(turns.c.call_id, turns.c.position)
    found: dict[UUID, list[Turn]] = {}
    for row in tx.connection.execute(query):
        turn = Turn(
            position=row.position,
            speaker=row.speaker,
            text=row.text,
            started_ms=row.started_ms,
            ended_ms=row.ended_ms,
            interrupted=row.interrupted,
            latency_ms=row.latency_ms,
        )
        found.setdefault(row.call_id, []).append(turn)
    return {call_id: tuple(said) for call_id, said in found.items()}
