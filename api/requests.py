"""Reading a request: who asks, and what, in the shape its route declares.

Bodies are read strictly, so no type is coerced; queries are text and are. A request that does not fit raises what
`api.errors` lists and has touched nothing.
"""

import json
import re
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from api.errors import InvalidRequest, NotAuthenticated, NotJson, ScopeMissing
from api.faults import faults_of, loads, unstorable
from dispatcher.services.keys import Caller, KeyRing
from dispatcher.services.lead_rows import ParsedRow, RefusedRow
from schema.account import Scope
from schema.leads import CreateLead, RawRow
from schema.problems import FieldFault
from schema.wire import Wire

Model = TypeVar("Model", bound=BaseModel)

BAD_BODY = "Invalid request body"
BAD_QUERY = "Invalid query parameters"
BAD_HEADERS = "Invalid request headers"

IDEMPOTENCY_HEADER = "Idempotency-Key"
_IDEMPOTENCY_KEY = re.compile(r"^[A-Za-z0-9_-]{8,255}$")
_NOTHING = frozenset({b"", b"{}", b"null"})


class Nothing(Wire):
    """What a route without parameters is sent."""


def read_caller(keys: KeyRing, scope: Scope) -> Caller:
    """Tell who asks.

    Raises:
        NotAuthenticated: no key was presented, or nobody has it.
        ScopeMissing: the key lacks `scope`.
    """
    presented = _presented_key()
    caller = keys.caller(presented) if presented else None
    if caller is None:
        raise NotAuthenticated
    if scope not in caller.scopes:
        raise ScopeMissing(scope)
    return caller


def read_query(model: type[Model]) -> Model:
    """Read the query string.

    Raises:
        InvalidRequest: it does not fit the model, or names a parameter twice.
    """
    sent = request.args.to_dict()
    faults = tuple(
        FieldFault(path=name, message="Contains a NUL character" if "\0" in value else "Given more than once")
        for name, value in sent.items()
        if "\0" in value or len(request.args.getlist(name)) > 1
    )
    if faults:
        raise InvalidRequest(BAD_QUERY, faults)
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise InvalidRequest(BAD_QUERY, faults_of(error, sent, model)) from None


def read_body(model: type[Model]) -> Model:
    """Read the JSON body.

    Raises:
        InvalidRequest: it is not JSON or does not fit the model.
        NotJson: it is declared as something else.
    """
    body = request.get_data()
    _require_json()
    try:
        read = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise InvalidRequest(BAD_BODY, faults_of(error, loads(body), model)) from None
    if faults := unstorable(body):
        raise InvalidRequest(BAD_BODY, faults)
    return read


def read_no_body() -> None:
    """Accept an empty body, or an empty JSON object.

    Raises:
        InvalidRequest: there is more.
    """
    if request.get_data().strip() not in _NOTHING:
        raise InvalidRequest(BAD_BODY, (FieldFault(path="", message="This request takes no body; send none"),))


def read_idempotency_key() -> str | None:
    """Read the Idempotency-Key header, None when there is none.

    Raises:
        InvalidRequest: it is not 8 to 255 characters of [A-Za-z0-9_-].
    """
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is not None and not _IDEMPOTENCY_KEY.match(key):
        fault = FieldFault(path=IDEMPOTENCY_HEADER, message="Must be 8 to 255 characters of A-Z, a-z, 0-9, _ and -")
        raise InvalidRequest(BAD_HEADERS, (fault,))
    return key


def read_lead_rows(rows: tuple[RawRow, ...]) -> tuple[ParsedRow, ...]:
    """Read the rows of a batch, each by itself."""
    return tuple(_lead_row(row) for row in rows)


def _lead_row(row: RawRow) -> ParsedRow:
    try:
        return CreateLead.model_validate_json(json.dumps(row), strict=True)
    except ValidationError as error:
        return RefusedRow(faults_of(error, row, CreateLead))


def _require_json() -> None:
    if request.mimetype not in {"application/json", ""} and not request.mimetype.endswith("+json"):
        raise NotJson(request.mimetype)


def _presented_key() -> str | None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    return request.headers.get("X-API-Key")
