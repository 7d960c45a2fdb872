"""What a use-case answers instead of doing what it was asked: the caller's fault or the state of things, never ours.

    Refusal
    ├── Missing              nothing of that id in the account
    ├── Faulty               fields that cannot be accepted, each with its fault and fix
    ├── OutOfQuota           the account has fewer seconds than the call must hold
    ├── Conflict             the thing is in a state that does not allow it
    ├── Suppressed           the number must not be called
    ├── KeyBusy              the same Idempotency-Key is being worked on
    └── KeyReused            the same Idempotency-Key came with another request

A refused use-case has changed nothing: raising one rolls its transaction back. How each looks to a client is decided
in `api.problems`.
"""

from schema.problems import FieldFault, ProblemCode


class Refusal(Exception):
    """Root of everything a use-case refuses; `detail` says it in a sentence."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


class Missing(Refusal):
    """Nothing of that id exists in the account; another account's things are missing too."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found in this account")


class Faulty(Refusal):
    """Fields that were well formed but cannot be accepted."""

    def __init__(self, *faults: FieldFault) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))


class OutOfQuota(Refusal):
    """The account has `remaining_s` seconds, the call must hold `required_s`."""

    def __init__(self, required_s: int, remaining_s: int) -> None:
        self.required_s = required_s
        self.remaining_s = remaining_s
        super().__init__(f"needs {required_s} s of quota, has {remaining_s} s")


class Conflict(Refusal):
    """The thing is in `current_status`, which does not allow the request."""

    def __init__(self, detail: str, current_status: str, code: ProblemCode) -> None:
        self.current_status = current_status
        self.code = code
        super().__init__(detail)


class Suppressed(Refusal):
    """The number is on the account's do-not-call list, or the person asked not to be called."""


class KeyBusy(Refusal):
    """Another request with the same Idempotency-Key has not finished yet."""


class KeyReused(Refusal):
    """The Idempotency-Key belongs to another request."""
