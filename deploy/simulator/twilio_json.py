"""What Twilio's REST interface writes: the Call resource, pages of calls and errors. No I/O.

Source: Twilio, Call resource and error dictionary; field names as the vendor's own SDK reads them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

import orjson
from aiohttp import web

from deploy.simulator.ledger import CallTruth

API: Final = "/2010-04-01/Accounts"
_SUBRESOURCES: Final = ("notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions")


def twilio_error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error answer in Twilio's shape."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return twilio_json(body, status=status, headers=headers)


def twilio_json(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    return web.Response(
        body=orjson.dumps(body), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )


def rfc2822(at: float | None) -> str | None:
    """Return a unix instant as Twilio writes dates, e.g. `Fri, 20 Nov 2026 09:00:00 +0000`."""
    return None if at is None else format_datetime(datetime.fromtimestamp(at, UTC))


def call_uri(account_sid: str, sid: str) -> str:
    """Return the path of a call."""
    return f"{API}/{account_sid}/Calls/{sid}.json"


def call_json(call: CallTruth, account_sid: str) -> dict[str, object]:
    """Return the Call resource."""
    base = f"{API}/{account_sid}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(call.updated_at or call.created_at),
        "parent_call_sid": None,
        "account_sid": account_sid,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.from_number,
        "from_formatted": call.from_number,
        "phone_number_sid": "",
        "status": "queued" if call.status == "initiated" else call.status,
        "start_time": rfc2822(call.started_at),
        "end_time": rfc2822(call.ended_at),
        "duration": None if call.live else str(call.duration_s),
        "price": None,
        "price_unit": "USD",
        "direction": "outbound-api",
        "answered_by": call.answered_by,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{base}.json",
        "subresource_uris": {name: f"{base}/{name.capitalize()}.json" for name in _SUBRESOURCES},
    }
