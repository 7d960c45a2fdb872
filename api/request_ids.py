"""Every request has an id: the caller's if it sent a usable one, else a new one. It is in the answer and in the log."""

import re
import uuid

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-Id"
_USABLE = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")


def install(app: Flask) -> None:
    """Give every request of the app its id."""
    app.before_request(_begin)
    app.after_request(_answer)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _USABLE.match(given) else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _answer(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    return response
