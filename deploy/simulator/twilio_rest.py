"""Twilio's REST interface for calls: create, fetch, list, and change while live.

Decides authentication, paging and error codes; what a call does is the exchange's. Source: Twilio, Call resource.
"""

import asyncio
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from deploy.simulator.faults import Fault
from deploy.simulator.ledger import CallTruth
from deploy.simulator.obstruction import obstruct
from deploy.simulator.stage import Stage, stage_of
from deploy.simulator.twilio_call import Ending
from deploy.simulator.twilio_exchange import EXCHANGE, Exchange
from deploy.simulator.twilio_json import API, call_json, call_uri, twilio_error, twilio_json
from deploy.simulator.twilio_request import RefusedRequest, read_dial

_PAGE_SIZE: Final = 50
_PAGE_SIZE_MAX: Final = 1000
_ENDED: Final = 20404
_NOT_IN_PROGRESS: Final = 21220


def _unauthorized(request: web.Request) -> web.Response | None:
    settings = stage_of(request).settings
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    try:
        pair = b64decode(coded).decode() if scheme.lower() == "basic" else ""
    except (Base64Error, UnicodeDecodeError):
        pair = ""
    if pair != f"{settings.twilio_sid}:{settings.twilio_token}" or request.match_info["account"] != settings.twilio_sid:
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'}
        return twilio_error(401, 20003, "Authenticate", headers)
    return None


def _refusal(fault: Fault) -> web.Response:
    code = int(fault.code) if fault.code is not None else {429: 20429, 401: 20003, 503: 20503}.get(fault.status, 20500)
    headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
    return twilio_error(fault.status, code, fault.text or "Simulated refusal", headers)


async def create(request: web.Request) -> web.StreamResponse:
    """POST Calls.json: place a call."""
    stage, exchange = stage_of(request), request.app[EXCHANGE]
    form = await request.post()
    to, from_number = str(form.get("To", "")), str(form.get("From", ""))
    refused = _unauthorized(request)
    if refused is not None:
        exchange.refuse(to, from_number, "401 20003")
        return refused
    fault = stage.faults.take("twilio", "create", number=to)
    if fault is not None and fault.kind in {"refuse", "lost"}:
        exchange.refuse(to, from_number, f"fault {fault.kind}")
        return await obstruct(request, fault, _refusal) or _refusal(fault)
    if fault is not None and fault.kind == "delay":
        await asyncio.sleep(fault.delay_ms / 1000)
    try:
        dial = read_dial(form)  # type: ignore[arg-type]  # files are no part of this form
    except RefusedRequest as error:
        exchange.refuse(to, from_number, f"400 {error.code}")
        return twilio_error(400, error.code, error.message)
    truth = exchange.place(dial)
    if fault is not None and fault.kind in {"drop", "half_open"}:
        await obstruct(request, fault, _refusal)
    return twilio_json(call_json(truth, stage.settings.twilio_sid), status=201)


def _missing(request: web.Request) -> web.Response:
    return twilio_error(404, _ENDED, f"The requested resource {request.path} was not found")


async def fetch(request: web.Request) -> web.StreamResponse:
    """GET Calls/{sid}.json."""
    stage = stage_of(request)
    if (refused := _unauthorized(request)) is not None:
        return refused
    truth = request.app[EXCHANGE].truth(request.match_info["sid"])
    fault = stage.faults.take("twilio", "fetch", number=truth.to if truth else "")
    if (obstacle := await obstruct(request, fault, _refusal)) is not None:
        return obstacle
    if truth is None:
        return _missing(request)
    return twilio_json(call_json(truth, stage.settings.twilio_sid))


async def update(request: web.Request) -> web.StreamResponse:
    """POST Calls/{sid}.json: hang up, cancel or redirect."""
    stage, exchange = stage_of(request), request.app[EXCHANGE]
    if (refused := _unauthorized(request)) is not None:
        return refused
    sid = request.match_info["sid"]
    truth = exchange.truth(sid)
    fault = stage.faults.take("twilio", "update", number=truth.to if truth else "")
    if (obstacle := await obstruct(request, fault, _refusal)) is not None:
        return obstacle
    call, form = exchange.live(sid), await request.post()
    if truth is None:
        return _missing(request)
    status, twiml = str(form.get("Status", "")), str(form.get("Twiml", ""))
    if status:
        return _end(request, exchange, sid, status)
    if call is None or truth.answered_at is None:
        return twilio_error(400, _NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
    if twiml:
        call.redirect(twiml)
    return twilio_json(call_json(truth, stage.settings.twilio_sid))


def _end(request: web.Request, exchange: Exchange, sid: str, status: str) -> web.Response:
    call = exchange.live(sid)
    if status not in {"completed", "canceled"}:
        return twilio_error(400, 20001, f"Invalid Status: {status}")
    if call is None:
        return _missing(request)
    answered = call.truth.answered_at is not None
    if status == "canceled" and answered:
        return twilio_error(400, _NOT_IN_PROGRESS, "Call is in-progress. Cannot cancel.")
    final = "completed" if answered else "canceled"
    call.end(Ending(final, "caller", 200 if answered else 487))
    call.truth.status = final
    return twilio_json(call_json(call.truth, stage_of(request).settings.twilio_sid))


async def listing(request: web.Request) -> web.StreamResponse:
    """GET Calls.json: newest first, filtered and paged."""
    stage = stage_of(request)
    if (refused := _unauthorized(request)) is not None:
        return refused
    query = request.query
    fault = stage.faults.take("twilio", "list", number=query.get("To", ""))
    if (obstacle := await obstruct(request, fault, _refusal)) is not None:
        return obstacle
    try:
        wanted = _filters(dict(query))
        size = min(int(query.get("PageSize", _PAGE_SIZE)), _PAGE_SIZE_MAX)
        page = int(query.get("Page", 0))
    except ValueError as error:
        return twilio_error(400, 20001, f"Invalid filter: {error}")
    newest_first = [c for c in reversed(stage.ledger.calls.values()) if all(want(c) for want in wanted)]
    return twilio_json(_page(newest_first, dict(query), page, size, stage))


def _page(calls: list[CallTruth], query: dict[str, str], page: int, size: int, stage: Stage) -> dict[str, object]:
    account = stage.settings.twilio_sid
    shown = calls[page * size : (page + 1) * size]

    def uri(number: int) -> str:
        return f"{API}/{account}/Calls.json?" + urlencode({**query, "PageSize": size, "Page": number})

    return {
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) if (page + 1) * size < len(calls) else None,
        "previous_page_uri": uri(page - 1) if page else None,
        "uri": uri(page),
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(shown) - 1, 0),
        "calls": [call_json(call, account) for call in shown],
    }


Wanted = Callable[[CallTruth], bool]


def _filters(query: dict[str, str]) -> list[Wanted]:
    """Read filters. Raises ValueError on an unreadable date."""
    wanted: list[Wanted] = []
    if "To" in query:
        wanted.append(lambda call: call.to == query["To"])
    if "From" in query:
        wanted.append(lambda call: call.from_number == query["From"])
    if "Status" in query:
        wanted.append(lambda call: call.status == query["Status"])
    for name, instant in (("StartTime", lambda c: c.started_at), ("EndTime", lambda c: c.ended_at)):
        wanted += [_in_span(instant, *span) for span in _spans(name, query)]
    return wanted


def _spans(name: str, query: dict[str, str]) -> list[tuple[float, float]]:
    """Return [from, to) in unix seconds for `Name`, `Name<` and `Name>`; a bare date is its whole UTC day."""
    spans = []
    for suffix in ("", "<", ">"):
        text = query.get(name + suffix)
        if text is None:
            continue
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        day_long = len(text) <= len("2026-01-01")
        ends = (at + timedelta(days=1) if day_long else at + timedelta(seconds=1)).timestamp()
        begins = at.timestamp()
        spans.append({"": (begins, ends), "<": (0.0, ends), ">": (begins, float("inf"))}[suffix])
    return spans


def _in_span(instant: Callable[[CallTruth], float | None], begins: float, ends: float) -> Wanted:
    return lambda call: (at := instant(call)) is not None and begins <= at < ends


def routes() -> list[web.AbstractRouteDef]:
    """Return Twilio's routes."""
    calls = API + "/{account}/Calls.json"
    one = call_uri("{account}", "{sid}")
    return [web.post(calls, create), web.get(calls, listing), web.get(one, fetch), web.post(one, update)]
