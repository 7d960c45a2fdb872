"""Leads (people) and suppressed numbers over HTTP.

A lead is known by its phone number within the account: sending it again finds the same lead. What a lead's fields mean
to a call is decided in `dispatcher.rules.templates`.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from schema.pages import PageQuery
from schema.policy import Zone
from schema.problems import FieldFault
from schema.states import LeadStatus
from schema.wire import E164, FieldName, Instant, Wire

MAX_BULK_ROWS = 2_000

Tags = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=64)], ...], Field(max_length=50)]
LeadFields = Annotated[dict[FieldName, object], Field(max_length=200)]
PersonName = Annotated[str, StringConstraints(max_length=200)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Notes = Annotated[str, StringConstraints(max_length=20_000)]


def _in_any_case(status: object) -> object:
    return status.capitalize() if isinstance(status, str) else status


AnyCaseLeadStatus = Annotated[LeadStatus, BeforeValidator(_in_any_case)]


class CreateLead(Wire):
    """A person to call. Only the number is needed; every other field may be a variable of the conversation.

    Attributes:
        timezone: IANA zone of the person; found from the number when absent.
        metadata: custom fields, available in prompts as {{name}}.
    """

    phone_number: E164
    name: PersonName | None = None
    email: Email | None = None
    timezone: Zone | None = None
    external_id: ExternalId | None = None
    status: AnyCaseLeadStatus | None = None
    notes: Notes | None = None
    tags: Tags = ()
    metadata: LeadFields = Field(default_factory=dict)
    do_not_call: bool | None = None


class PatchLead(Wire):
    """Fields to change; absent ones stay, null clears. `metadata` is replaced as a whole."""

    phone_number: E164 | None = None
    name: PersonName | None = None
    email: Email | None = None
    timezone: Zone | None = None
    external_id: ExternalId | None = None
    status: AnyCaseLeadStatus | None = None
    notes: Notes | None = None
    tags: Tags | None = None
    metadata: LeadFields | None = None
    do_not_call: bool | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one field to change")
        for name in ("phone_number", "status", "tags", "metadata", "do_not_call"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name}: cannot be null; leave it out to keep it")
        return self


class Lead(Wire):
    """A person as the account sees them."""

    id: UUID
    account_id: UUID
    phone_number: str
    name: str | None
    email: str | None
    timezone: str | None
    external_id: str | None
    status: LeadStatus
    notes: str | None
    tags: tuple[str, ...]
    metadata: dict[str, object]
    do_not_call: bool
    attempts_total: int
    last_called_at: Instant | None
    converted_at: Instant | None
    created_at: Instant
    updated_at: Instant


class SavedLead(Lead):
    """A lead that was created, or found by its number and updated."""

    existed: bool


class LeadQuery(PageQuery):
    """Filters of GET /v1/leads; all given ones must match."""

    phone: E164 | None = None
    status: AnyCaseLeadStatus | None = None
    tag: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    external_id: ExternalId | None = None
    updated_since: Instant | None = None


class BulkMode(StrEnum):
    """What happens to a lead that is already known by its number.

    merge: given fields win, tags and metadata are united.
    skip: it stays as it is.
    replace: it becomes what the row says; only its status and do_not_call stay unless given.
    """

    MERGE = "merge"
    SKIP = "skip"
    REPLACE = "replace"


RawRow = dict[str, object]


class BulkLeads(Wire):
    """Up to 2,000 leads at once; every row is judged by itself."""

    mode: BulkMode = BulkMode.MERGE
    leads: tuple[RawRow, ...] = Field(
        min_length=1,
        max_length=MAX_BULK_ROWS,
        description="each row has the fields of POST /v1/leads; a bad row is reported and does not fail the others",
    )


class RowFault(FieldFault):
    """What is wrong with one row of a batch; `index` counts from 0."""

    index: int


class RowFate(StrEnum):
    """What became of a row.

    inserted: a new lead.
    updated: a known lead, merged or replaced.
    skipped: a known lead, left as it is.
    duplicate: its number comes again later in the batch, and the later row was taken.
    invalid: refused; nothing was written for it.
    """

    INSERTED = "inserted"
    UPDATED = "updated"
    SKIPPED = "skipped"
    DUPLICATE = "duplicate"
    INVALID = "invalid"


class RowResult(Wire):
    """What became of one row; `lead_id` is the lead it is about, null for a refused row."""

    index: int
    fate: RowFate
    lead_id: UUID | None
    errors: tuple[FieldFault, ...] = ()


class BulkResult(Wire):
    """What became of a batch: counts per fate, and every row in the order it was sent."""

    success: bool
    total_processed: int
    inserted: int
    updated: int
    skipped: int
    duplicates: int
    invalid: int
    results: tuple[RowResult, ...]


class CreateSuppression(Wire):
    """A number never to be called, for good or until an instant."""

    phone_number: E164
    reason: Annotated[str, StringConstraints(max_length=500)] | None = None
    until: Instant | None = None


class Suppression(Wire):
    """A suppressed number. `source` says who wrote it: api, or the call in which the person asked for it."""

    id: UUID
    account_id: UUID
    phone_number: str
    source: str
    reason: str | None
    until: Instant | None
    created_at: Instant


class SuppressionQuery(PageQuery):
    """Filters of GET /v1/suppressions."""

    phone: E164 | None = None


class Deleted(Wire):
    """The answer to a deletion."""

    ok: Literal[True] = True
