"""What can go wrong while a call is dialled or live.

    MediaError
    ├── CarrierError            the carrier's side; `end_reason` names the fault
    │   ├── CarrierRefusal      proved: the call was not placed (4xx, 5xx, 429, no trunk)
    │   ├── DialUnknown         the request may have been carried out (time-out, reset)
    │   └── CarrierUnreachable  a look-up or hang-up could not be asked
    └── ProviderError           a speech or language provider failed; `provider` and `end_reason` name it

An engaged line, no answer or a refusal by the callee is an outcome, not an error.
"""

from schema.outcomes import EndReason, Outcome


class MediaError(Exception):
    """Root of media's error tree."""

    def __init__(self, detail: str, end_reason: EndReason) -> None:
        self.detail = detail
        self.end_reason = end_reason
        super().__init__(f"{end_reason.value}: {detail}")


class CarrierError(MediaError):
    """The carrier's side failed."""


class CarrierRefusal(CarrierError):
    """The carrier proved that it did not place the call. `outcome` says how it counts."""

    def __init__(self, detail: str, end_reason: EndReason, outcome: Outcome, status: int) -> None:
        super().__init__(detail, end_reason)
        self.outcome = outcome
        self.status = status


class DialUnknown(CarrierError):
    """Nobody knows whether the carrier placed the call; it must never be dialled again by the worker."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, EndReason.CARRIER_UNKNOWN)


class CarrierUnreachable(CarrierError):
    """The carrier could not be asked."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, EndReason.CARRIER_UNREACHABLE)


class ProviderError(MediaError):
    """A provider failed. Authentication failures are never retried."""

    def __init__(self, provider: str, detail: str, end_reason: EndReason) -> None:
        super().__init__(f"{provider}: {detail}", end_reason)
        self.provider = provider
