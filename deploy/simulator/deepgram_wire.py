"""What Deepgram's interfaces share: keys, request ids, the error shape with its `dg-error` header, models' names.

Source: Deepgram, API reference; handshake failures carry `dg-error`, successes `dg-request-id`.
"""

from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from deploy.simulator.faults import Fault
from deploy.simulator.stage import stage_of

Json = dict[str, Any]

MODEL_UUID: Final = "2187e11a-3532-4498-b076-81fa530bdd49"
_CODES: Final = {400: "Bad Request", 401: "INVALID_AUTH", 402: "ASR_PAYMENT_REQUIRED", 429: "TOO_MANY_REQUESTS"}


def new_request_id() -> str:
    """Return a request id."""
    return str(uuid4())


def deepgram_error(
    status: int, message: str, *, code: str | None = None, retry_after_s: int | None = None
) -> web.Response:
    """Return an HTTP error in Deepgram's shape."""
    request_id = new_request_id()
    headers = {"dg-error": message, "dg-request-id": request_id}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    body = {
        "err_code": code or _CODES.get(status, "INTERNAL_SERVER_ERROR"),
        "err_msg": message,
        "request_id": request_id,
    }
    return web.json_response(body, status=status, headers=headers)


def deepgram_refusal(fault: Fault) -> web.Response:
    """Return the refusal a fault asks for."""
    code = None if fault.code is None else str(fault.code)
    return deepgram_error(fault.status, fault.text or "Simulated refusal", code=code, retry_after_s=fault.retry_after_s)


def key_refused(request: web.Request) -> web.Response | None:
    """Return the 401 for a missing or wrong key (`Token <key>` or `Bearer <key>`)."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in {"token", "bearer"} and key.strip() in stage_of(request).settings.deepgram_keys:
        return None
    return deepgram_error(401, "Invalid credentials.")
