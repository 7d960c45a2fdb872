"""Reading calls: one, many, what was said, what happened, where the recording is.

What a call's record shows is decided in `dispatcher.services.call_record`; here only which calls are meant.
"""

from uuid import UUID

from dispatcher.refusals import Missing
from dispatcher.services.call_record import at_base, call_record, call_records
from dispatcher.services.cursors import cursor_at, slice_of
from dispatcher.store.call_lists import CallFilter, find_recording, list_calls, timeline
from dispatcher.store.db import Database
from schema.calls import CallQuery, CallTimeline, CallTimelineEntry, Transcript
from schema.pages import Page
from schema.records import CallRecord


def get_call(db: Database, account_id: UUID, call_id: UUID, public_base_url: str) -> CallRecord:
    """Read one call.

    Raises:
        Missing: the account has no such call.
    """
    with db.transaction() as tx:
        record = call_record(tx, call_id, account_id)
    if record is None:
        raise Missing("Call")
    return at_base(record, public_base_url)


def find_page(db: Database, account_id: UUID, query: CallQuery, public_base_url: str) -> Page[CallRecord]:
    """List the account's calls, newest first, without transcripts.

    Raises:
        Faulty: the cursor is not one of ours.
    """
    which = CallFilter(
        status=query.status,
        call_status=query.call_status,
        disposition=query.disposition,
        answered_by=query.answered_by,
        campaign_id=query.campaign_id,
        lead_id=query.lead_id,
        phone_number=query.phone_number,
        created_from=query.created_from,
        created_to=query.created_to,
    )
    with db.transaction() as tx:
        found = list_calls(tx, account_id, which, slice_of(query))
        records = call_records(tx, [place.row_id for place in found.rows], account_id, with_transcript=False)
    return Page[CallRecord](
        data=tuple(at_base(record, public_base_url) for record in records),
        has_more=found.more,
        next_cursor=cursor_at(found.rows[-1]) if found.more else None,
    )


def get_transcript(db: Database, account_id: UUID, call_id: UUID) -> Transcript:
    """Read what was said in a call.

    Raises:
        Missing: the account has no such call.
    """
    record = get_call(db, account_id, call_id, "")
    return Transcript(call_id=call_id, completed=record.completed, transcript=record.transcript or ())


def get_timeline(db: Database, account_id: UUID, call_id: UUID) -> CallTimeline:
    """Read everything that happened to a call.

    Raises:
        Missing: the account has no such call.
    """
    with db.transaction() as tx:
        if call_record(tx, call_id, account_id) is None:
            raise Missing("Call")
        entries = timeline(tx, account_id, call_id)
    return CallTimeline(
        call_id=call_id,
        data=tuple(CallTimelineEntry(id=one.event_id, kind=one.kind, at=one.at, data=one.data) for one in entries),
    )


def get_recording_path(db: Database, account_id: UUID, call_id: UUID) -> str:
    """Read where the recording of a call is kept, as the media worker wrote it down.

    Raises:
        Missing: the account has no such call, or it was not recorded.
    """
    with db.transaction() as tx:
        path = find_recording(tx, account_id, call_id)
    if path is None:
        raise Missing("Recording")
    return path
