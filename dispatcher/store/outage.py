"""Which errors of the database mean that it is away for a while, so that the same work may be tried again."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


def is_database_outage(error: BaseException) -> bool:
    """Say whether the database could not be reached, went away in the middle, or gave up waiting for a lock."""
    if isinstance(error, InterfaceError | OperationalError | PoolTimeoutError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
