"""What Trunkline has written down about one account, read straight from its tables.

Nothing here is proof of what happened: `promises` holds it against the carrier's own log.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy.engine import make_url

from schema.states import TERMINAL_PHASES

Row = dict[str, Any]

OVER = frozenset(phase.value for phase in TERMINAL_PHASES)


def query(database_url: str, statement: str, *values: object) -> list[Row]:
    """Ask the database one thing, over a connection of its own."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        return connection.execute(statement, values).fetchall()


@dataclass(frozen=True, slots=True)
class Books:
    """The rows of one account, found by its name."""

    database_url: str
    account: str

    def calls(self) -> list[Row]:
        """Return every call, oldest first."""
        return self._of_account("select * from calls where account_id = a.id order by created_at, id")

    def call(self, call_id: str) -> Row:
        """Return one call."""
        (row,) = query(self.database_url, "select * from calls where id = %s", call_id)
        return row

    def to(self, number: str) -> list[Row]:
        """Return the calls to one number, oldest first."""
        return [call for call in self.calls() if call["phone_number"] == number]

    def enrolments(self) -> list[Row]:
        """Return every enrolment in the order of entry."""
        return self._of_account("select * from enrolments where account_id = a.id order by seq")

    def enrolment(self, number: str) -> Row:
        """Return the one enrolment of a number."""
        (row,) = [each for each in self.enrolments() if each["phone_number"] == number]
        return row

    def balance(self) -> Row:
        """Return the account's seconds: granted_s, available_s, held_s, spent_s."""
        (row,) = self._of_account("select * from quota_accounts where account_id = a.id")
        return row

    def entries(self) -> list[Row]:
        """Return the account's ledger."""
        return self._of_account("select * from quota_entries where account_id = a.id order by id")

    def outbox(self) -> list[Row]:
        """Return the account's webhooks, sent or not."""
        return self._of_account("select * from deliveries where account_id = a.id order by seq")

    def _of_account(self, inner: str) -> list[Row]:
        statement = f"select x.* from accounts a cross join lateral ({inner}) x where a.name = %s"
        return query(self.database_url, statement, self.account)


def ready_workers(database_url: str) -> frozenset[int]:
    """Return the pids of the media workers that have been heard of lately and take calls."""
    fresh = "select id from media_workers where not draining and heartbeat_at > now() - interval '6 seconds'"
    return frozenset(int(row["id"].split(":")[1]) for row in query(database_url, fresh))
