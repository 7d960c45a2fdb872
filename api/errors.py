"""What is wrong with a request before any use-case hears of it.

    RequestError
    ├── InvalidRequest     body, query or headers do not fit their model
    ├── NotAuthenticated   no key, or one nobody has
    ├── ScopeMissing       the key may not do this
    └── NotJson            the body is not declared as JSON

What a use-case refuses is `dispatcher.refusals`; both become problems in `api.problems`.
"""

from schema.account import Scope
from schema.problems import FieldFault


class RequestError(Exception):
    """Root of the API's error tree."""


class InvalidRequest(RequestError):
    """A part of the request does not fit its model; `title` says which part."""

    def __init__(self, title: str, faults: tuple[FieldFault, ...]) -> None:
        self.title = title
        self.faults = faults
        super().__init__(title)


class NotAuthenticated(RequestError):
    """Nobody may act with what was presented."""


class ScopeMissing(RequestError):
    """The key is good but lacks the scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(scope.value)


class NotJson(RequestError):
    """A body came under another media type."""

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type
        super().__init__(media_type)
