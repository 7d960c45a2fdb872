"""What can go wrong inside the dispatcher itself.

    DispatcherError
    ├── BalanceMoved       the quota that was free a moment ago is held by another; roll back and look again
    └── UnknownJob         beat and worker are of different releases

Refusals of what an account asked for are `dispatcher.refusals`. An engaged line is an outcome, not an error.
"""

from uuid import UUID

from dispatcher.store.outage import is_database_outage

__all__ = ["BalanceMoved", "DispatcherError", "UnknownJob", "is_database_outage"]


class DispatcherError(Exception):
    """Root of the dispatcher's error tree."""


class BalanceMoved(DispatcherError):
    """The account's free seconds no longer cover what the batch wants to hold; nothing was written."""

    def __init__(self, account_id: UUID, wanted_s: int) -> None:
        self.account_id = account_id
        self.wanted_s = wanted_s
        super().__init__(f"account {account_id} has less than {wanted_s} s free")


class UnknownJob(DispatcherError):
    """A tick names a job this release does not have."""

    def __init__(self, job: str) -> None:
        self.job = job
        super().__init__(f"no job is called {job!r}")
