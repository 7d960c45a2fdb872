"""The one shape of every refusal: RFC 9457 problem details with a stable `code` and a fault per field.

Which fault gets which status is decided in `api.problems`.
"""

from enum import StrEnum

from pydantic import Field

from schema.wire import Wire


class ProblemCode(StrEnum):
    """Stable, machine-readable names of what can be wrong with a request."""

    VALIDATION_ERROR = "validation_error"
    UNAUTHORIZED = "unauthorized"
    INSUFFICIENT_QUOTA = "insufficient_quota"
    FORBIDDEN_SCOPE = "forbidden_scope"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    INVALID_STATE_TRANSITION = "invalid_state_transition"
    DUPLICATE_ATTEMPT = "duplicate_attempt"
    DUPLICATE_NUMBER = "duplicate_number"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    NUMBER_SUPPRESSED = "number_suppressed"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    BAD_REQUEST = "bad_request"
    UNAVAILABLE = "unavailable"
    INTERNAL_ERROR = "internal_error"


class FieldFault(Wire):
    """What is wrong with one field: where, the fault and the fix in words, and a stable code."""

    path: str
    message: str
    code: str = "invalid"


class Problem(Wire):
    """The body of every answer that is not a success, as application/problem+json.

    Attributes:
        instance: the request id, also in the X-Request-Id header.
        current_status: of what could not be moved, with 409.
        required_minutes: what a call would hold, with 402.
        remaining_minutes: what the account has left, with 402.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: ProblemCode
    errors: tuple[FieldFault, ...] = Field(default=(), description="one entry per faulty field, with 400")
    current_status: str | None = None
    required_minutes: float | None = None
    remaining_minutes: float | None = None
