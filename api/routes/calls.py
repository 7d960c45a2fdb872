"""/v1/calls: place calls, follow them, end them."""

from http import HTTPStatus

from flask import Response

from api.context import Ask
from api.recordings import recording_response
from api.routes.paths import CallPath
from api.routing import Routes
from dispatcher.services import control, read
from dispatcher.services.once import Reply
from dispatcher.services.place import place_call
from dispatcher.store.db import Tx
from schema.account import Scope
from schema.calls import (
    CallMoved,
    CallQuery,
    CallTimeline,
    CreateCall,
    CreatedCall,
    Transcript,
)
from schema.pages import Page
from schema.records import CallRecord

routes = Routes("calls", "Calls")

_WAV: dict[str, object] = {
    "description": "Stereo WAV: the callee left, the agent as heard right. Ranges are served.",
    "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
}


@routes.route_to(
    "POST",
    "/calls",
    needs=Scope.CALLS_WRITE,
    replies={HTTPStatus.CREATED: CreatedCall, HTTPStatus.OK: CreatedCall},
    problems=(
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
    may_stand_alone=True,
)
def create_call(ask: Ask, tx: Tx | None, body: CreateCall) -> Reply:
    """Place a call: by task, by full instructions, or as a campaign's next attempt.

    201 with the new call; 200 with the same call when its idempotency_key was sent before.
    """
    context = ask.context
    call, is_new = place_call(
        context.db, tx, context.announcer, body, account_id=ask.caller.account_id, default_from=ask.from_number
    )
    return Reply(HTTPStatus.CREATED if is_new else HTTPStatus.OK, call)


@routes.route_to("GET", "/calls", needs=Scope.CALLS_READ, replies={HTTPStatus.OK: Page[CallRecord]})
def list_calls(ask: Ask, query: CallQuery) -> Page[CallRecord]:
    """List calls, newest first, without transcripts."""
    return read.find_page(ask.context.db, ask.caller.account_id, query, ask.context.settings.public_base_url)


@routes.route_to(
    "GET",
    "/calls/<uuid:call_id>",
    needs=Scope.CALLS_READ,
    replies={HTTPStatus.OK: CallRecord},
    problems=(HTTPStatus.NOT_FOUND,),
)
def get_call(ask: Ask, path: CallPath) -> CallRecord:
    """Read a call."""
    return read.get_call(ask.context.db, ask.caller.account_id, path.call_id, ask.context.settings.public_base_url)


@routes.route_to(
    "GET",
    "/calls/<uuid:call_id>/transcript",
    needs=Scope.CALLS_READ,
    replies={HTTPStatus.OK: Transcript},
    problems=(HTTPStatus.NOT_FOUND,),
)
def get_transcript(ask: Ask, path: CallPath) -> Transcript:
    """Read what was said."""
    return read.get_transcript(ask.context.db, ask.caller.account_id, path.call_id)


@routes.route_to(
    "GET",
    "/calls/<uuid:call_id>/recording",
    needs=Scope.CALLS_READ,
    replies={HTTPStatus.OK: _WAV},
    problems=(HTTPStatus.NOT_FOUND,),
)
def get_recording(ask: Ask, path: CallPath) -> Response:
    """Hear the call."""
    stored = read.get_recording_path(ask.context.db, ask.caller.account_id, path.call_id)
    return recording_response(ask.context.settings.recordings_dir, stored, path.call_id)


@routes.route_to(
    "GET",
    "/calls/<uuid:call_id>/events",
    needs=Scope.CALLS_READ,
    replies={HTTPStatus.OK: CallTimeline},
    problems=(HTTPStatus.NOT_FOUND,),
)
def get_timeline(ask: Ask, path: CallPath) -> CallTimeline:
    """Read everything that happened to a call."""
    return read.get_timeline(ask.context.db, ask.caller.account_id, path.call_id)


@routes.route_to(
    "POST",
    "/calls/<uuid:call_id>/stop",
    needs=Scope.CALLS_WRITE,
    replies={HTTPStatus.OK: CallMoved},
    problems=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def stop_call(ask: Ask, tx: Tx, path: CallPath) -> Reply:
    """End a call, whether it waits or is live."""
    return Reply(HTTPStatus.OK, control.stop_call(tx, ask.caller.account_id, path.call_id))


@routes.route_to(
    "POST",
    "/calls/<uuid:call_id>/cancel",
    needs=Scope.CALLS_WRITE,
    replies={HTTPStatus.OK: CallMoved},
    problems=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def cancel_call(ask: Ask, tx: Tx, path: CallPath) -> Reply:
    """Call off a call that has not been dialled."""
    return Reply(HTTPStatus.OK, control.cancel_call(tx, ask.caller.account_id, path.call_id))
