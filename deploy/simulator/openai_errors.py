"""OpenAI's error shape and key check, the same for HTTP and for the realtime socket's handshake."""

from aiohttp import web

from deploy.simulator.faults import Fault
from deploy.simulator.stage import stage_of

_TYPES = {401: "invalid_request_error", 403: "permission_error", 404: "invalid_request_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded", 500: "server_error", 503: "server_error"}


def openai_error(
    status: int, message: str, *, code: str | None, kind: str = "invalid_request_error", param: str | None = None
) -> web.Response:
    """Return an HTTP error in OpenAI's shape."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return web.json_response(body, status=status, headers={"x-request-id": "req_simulated"})


def openai_refusal(fault: Fault) -> web.Response:
    """Return the refusal a fault asks for."""
    code = str(fault.code) if fault.code is not None else _CODES.get(fault.status)
    kind = _TYPES.get(fault.status, "server_error" if fault.status >= 500 else "invalid_request_error")
    answer = openai_error(fault.status, fault.text or "Simulated refusal", code=code, kind=kind)
    if fault.retry_after_s is not None:
        answer.headers["Retry-After"] = str(fault.retry_after_s)
    return answer


def key_of(request: web.Request) -> str:
    """Return the bearer key of a request, or nothing."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def is_key(request: web.Request) -> bool:
    """Tell whether the request carries a key this world accepts."""
    return key_of(request) in stage_of(request).settings.openai_keys


def bad_key_message(key: str) -> str:
    """Return OpenAI's words for a wrong key, masked as it masks them."""
    masked = f"{key[:3]}***{key[-4:]}" if len(key) > 8 else "***"
    return f"Incorrect API key provided: {masked}. You can find your API key at https://platform.openai.com/account/api-keys."


def key_refused(request: web.Request) -> web.Response | None:
    """Return the 401 for a missing or wrong key."""
    if is_key(request):
        return None
    if not key_of(request):
        return openai_error(401, "You didn't provide an API key.", code=None)
    return openai_error(401, bad_key_message(key_of(request)), code="invalid_api_key")
