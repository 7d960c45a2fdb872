"""How every refusal and failure looks to a client: one problem document, always with the request's id.

Which refusal gets which status is decided here; the words come from whoever refused. Nothing internal is shown.
"""

from http import HTTPStatus

import structlog
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException, InternalServerError

from api.errors import InvalidRequest, NotAuthenticated, NotJson, RequestError, ScopeMissing
from api.requests import BAD_BODY
from dispatcher.errors import is_database_outage
from dispatcher.refusals import Conflict, Faulty, KeyBusy, KeyReused, Missing, OutOfQuota, Refusal, Suppressed
from dispatcher.services.balance import minutes
from schema.problems import FieldFault, Problem, ProblemCode

log = structlog.get_logger()

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 1

HTTP_CODES = {
    HTTPStatus.NOT_FOUND: ProblemCode.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: ProblemCode.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ProblemCode.PAYLOAD_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: ProblemCode.RANGE_NOT_SATISFIABLE,
}
PLAIN_REFUSALS: dict[type[Refusal], tuple[HTTPStatus, ProblemCode]] = {
    Missing: (HTTPStatus.NOT_FOUND, ProblemCode.NOT_FOUND),
    Suppressed: (HTTPStatus.UNPROCESSABLE_ENTITY, ProblemCode.NUMBER_SUPPRESSED),
    KeyBusy: (HTTPStatus.CONFLICT, ProblemCode.IDEMPOTENCY_IN_PROGRESS),
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, ProblemCode.IDEMPOTENCY_KEY_REUSED),
}
"""Refusals that are told by their sentence alone."""


def problem(
    status: HTTPStatus,
    code: ProblemCode,
    detail: str,
    *,
    title: str | None = None,
    errors: tuple[FieldFault, ...] = (),
    **more: str | float,
) -> Response:
    """Write a problem document; `more` are the members only some codes have."""
    document = Problem(
        type=f"urn:trunkline:problem:{code.value}",
        title=title or status.phrase,
        status=status.value,
        detail=detail,
        instance=f"urn:trunkline:request:{g.request_id}",
        code=code,
        errors=errors,
        **more,  # type: ignore[arg-type]
    )
    shown = document.model_dump_json(exclude_unset=True, exclude=None if errors else {"errors"})
    return Response(shown, status=status.value, mimetype=PROBLEM_JSON)


def install(app: Flask) -> None:
    """Make the app answer every refusal and failure with a problem."""
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(RequestError, unfit)
    app.register_error_handler(HTTPException, failed)


def refused(refusal: Refusal) -> Response:
    """Show what a use-case refused."""
    match refusal:
        case Faulty():
            return _faulty(BAD_BODY, refusal.faults)
        case OutOfQuota():
            return _out_of_quota(refusal)
        case Conflict():
            return problem(HTTPStatus.CONFLICT, refusal.code, refusal.detail, current_status=refusal.current_status)
        case _:
            status, code = PLAIN_REFUSALS[type(refusal)]
            answer = problem(status, code, refusal.detail)
    if isinstance(refusal, KeyBusy):
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def unfit(error: RequestError) -> Response:
    """Show what is wrong with a request by itself."""
    match error:
        case InvalidRequest():
            return _faulty(error.title, error.faults)
        case NotAuthenticated():
            answer = problem(
                HTTPStatus.UNAUTHORIZED,
                ProblemCode.UNAUTHORIZED,
                "Send a valid API key as Authorization: Bearer tl_live_… or X-API-Key",
            )
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        case ScopeMissing():
            detail = f"This API key does not have the scope {error.scope.value}; use one that does"
            return problem(HTTPStatus.FORBIDDEN, ProblemCode.FORBIDDEN_SCOPE, detail)
        case NotJson():
            detail = f"The body is {error.media_type}; send JSON with Content-Type: application/json"
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, ProblemCode.UNSUPPORTED_MEDIA_TYPE, detail)
        case _:
            raise error


def failed(error: HTTPException) -> Response:
    """Show what Flask itself answers, and our own failures."""
    if isinstance(error, InternalServerError):
        return _broken(error.original_exception)
    status = HTTPStatus(error.code or HTTPStatus.BAD_REQUEST)
    answer = problem(status, HTTP_CODES.get(status, ProblemCode.BAD_REQUEST), error.description or status.phrase)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers[name] = value
    return answer


def _broken(error: BaseException | None) -> Response:
    if error is not None and is_database_outage(error):
        log.warning("database_unavailable", error=type(error).__name__)
        answer = problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            ProblemCode.UNAVAILABLE,
            "The database cannot be reached at the moment; nothing was done, try again",
        )
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer
    log.error("request_failed", exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        ProblemCode.INTERNAL_ERROR,
        "Something broke on our side; report it with the instance of this problem",
    )


def _faulty(title: str, faults: tuple[FieldFault, ...]) -> Response:
    named = ", ".join(fault.path for fault in faults if fault.path)
    detail = f"{named}: {faults[0].message}" if len(faults) == 1 and named else named or faults[0].message
    return problem(HTTPStatus.BAD_REQUEST, ProblemCode.VALIDATION_ERROR, detail, title=title, errors=faults)


def _out_of_quota(refusal: OutOfQuota) -> Response:
    required, remaining = minutes(refusal.required_s), minutes(refusal.remaining_s)
    return problem(
        HTTPStatus.PAYMENT_REQUIRED,
        ProblemCode.INSUFFICIENT_QUOTA,
        f"You need {required:g} minutes but have {remaining:g} remaining",
        title="Insufficient Quota",
        required_minutes=required,
        remaining_minutes=remaining,
    )
