"""How a route is declared and run: scope, models and answers in one place, for the server and the OpenAPI document.

A route's function is thin: it gets who asks and what was sent, already read, calls one use-case and returns its answer.
Changes run in one transaction, once per Idempotency-Key. Path, query and body are found by the names of the function's
parameters, as flask-openapi3 does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.parameter import Parameter
from flask_openapi3.models.tag import Tag
from flask_openapi3.utils import parse_rule
from pydantic import BaseModel

from api.context import Ask, context_of_app
from api.problems import PROBLEM_JSON
from api.requests import (
    IDEMPOTENCY_HEADER,
    Nothing,
    read_body,
    read_caller,
    read_idempotency_key,
    read_no_body,
    read_query,
)
from dispatcher.services.once import Reply, once, request_hash
from dispatcher.store.db import Tx
from schema.account import Scope

Handler = TypeVar("Handler", bound=Callable[..., Any])
Model = type[BaseModel] | None

JSON = "application/json"
REPLAYED_HEADER = "Idempotent-Replayed"
CHANGING = frozenset({"POST", "PATCH", "DELETE"})
MAX_BATCH_BYTES = 10 * 1024 * 1024


def _problem(status: HTTPStatus) -> dict[str, object]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": status.phrase, "content": {PROBLEM_JSON: {"schema": schema}}}


_ALWAYS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_IDEMPOTENCY_PARAMETER = Parameter.model_validate(
    {
        "name": IDEMPOTENCY_HEADER,
        "in": "header",
        "required": False,
        "description": "The same key with the same request gives the same answer for 24 hours, without doing it again.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "minLength": 8, "maxLength": 255},
    }
)


@dataclass(frozen=True, slots=True)
class _Declared:
    needs: Scope
    max_bytes: int | None
    may_stand_alone: bool


class Routes(APIBlueprint):
    """The routes of one resource, under /v1."""

    def __init__(self, name: str, title: str) -> None:
        responses: dict[str | int | HTTPStatus, Any] = {status: _problem(status) for status in _ALWAYS}
        super().__init__(name, __name__, url_prefix="/v1", abp_tags=[Tag(name=title)], abp_responses=responses)
        self._declared: dict[Callable[..., Any], _Declared] = {}

    def route_to(
        self,
        method: str,
        rule: str,
        *,
        needs: Scope,
        replies: Mapping[HTTPStatus, type[BaseModel] | dict[str, object]],
        problems: tuple[HTTPStatus, ...] = (),
        max_bytes: int | None = None,
        may_stand_alone: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a route.

        A key must have the scope `needs`. `replies` are the models of successes, `problems` the refusals it has apart
        from 400, 401 and 403, `max_bytes` the limit of the body where it is not the app's. A route that
        `may_stand_alone` gets no transaction unless its reply is to be kept.
        """

        def declare(handler: Handler) -> Handler:
            self._declared[handler] = _Declared(needs, max_bytes, may_stand_alone)
            register = getattr(self, method.lower())
            register(
                rule,
                responses={**replies, **{status: _problem(status) for status in problems}},
                security=[{"bearer": [needs.value]}, {"api_key": [needs.value]}],
            )(handler)
            if method in CHANGING:
                self._document_idempotency(rule, method)
            return handler

        return declare

    def create_view_func(  # type: ignore[override]  # noqa: D102, PLR0917 the library calls it so, on the instance
        self,
        func: Callable[..., Any],
        header: Model,  # noqa: ARG002
        cookie: Model,  # noqa: ARG002
        path: Model,
        query: Model,
        form: Model,  # noqa: ARG002
        body: Model,
        raw: Model,  # noqa: ARG002
        **_: object,
    ) -> Callable[..., Response]:
        return _view(func, self._declared[func], path=path, query=query, body=body)

    def _document_idempotency(self, rule: str, method: str) -> None:
        documented = self.paths[parse_rule(rule, url_prefix=self.url_prefix)]
        operation = getattr(documented, method.lower())
        operation.parameters = [*(operation.parameters or []), _IDEMPOTENCY_PARAMETER]


def shown(model: BaseModel, status: int = HTTPStatus.OK) -> Response:
    """Write a model as the JSON answer."""
    return Response(model.model_dump_json(), status=status, mimetype=JSON)


def _view(
    handler: Callable[..., Any], declared: _Declared, *, path: Model, query: Model, body: Model
) -> Callable[..., Response]:
    @wraps(handler)
    def view(**path_values: object) -> Response:
        context = context_of_app()
        ask = Ask(read_caller(context.keys, declared.needs), context)
        given: dict[str, object] = {"path": path.model_validate(path_values)} if path else {}
        if query:
            given["query"] = read_query(query)
        elif request.args:
            read_query(Nothing)
        if request.method not in CHANGING:
            answer = handler(ask, **given)
            return answer if isinstance(answer, Response) else shown(answer)
        if declared.max_bytes is not None:
            request.max_content_length = declared.max_bytes
        if body:
            given["body"] = read_body(body)
        else:
            read_no_body()
        return _told(_change(ask, declared, lambda tx: handler(ask, tx, **given)))

    return view


def _change(ask: Ask, declared: _Declared, act: Callable[[Tx | None], Reply]) -> Reply:
    key, db = read_idempotency_key(), ask.context.db
    if key is not None:
        hashed = request_hash(request.method, request.full_path, request.get_data())
        return once(db, ask.caller.account_id, key, hashed, act)
    if declared.may_stand_alone:
        return act(None)
    with db.transaction() as tx:
        return act(tx)


def _told(reply: Reply) -> Response:
    if isinstance(reply.body, dict):
        answer = Response(orjson.dumps(reply.body), status=reply.status, mimetype=JSON)
    else:
        answer = shown(reply.body, reply.status)
    if reply.replayed:
        answer.headers[REPLAYED_HEADER] = "true"
    return answer
