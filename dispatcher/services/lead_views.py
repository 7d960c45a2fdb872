"""Leads and suppressions as an account sees them: stored values under their public names."""

from dispatcher.store.leads import StoredLead
from dispatcher.store.suppressions import StoredSuppression
from schema.leads import Lead, SavedLead, Suppression


def lead_view(lead: StoredLead) -> Lead:
    """Show a lead."""
    return Lead(
        id=lead.lead_id,
        account_id=lead.account_id,
        phone_number=lead.phone_number,
        name=lead.name,
        email=lead.email,
        timezone=lead.timezone,
        external_id=lead.external_id,
        status=lead.status,
        notes=lead.notes,
        tags=lead.tags,
        metadata=lead.metadata,
        do_not_call=lead.do_not_call,
        attempts_total=lead.attempts_total,
        last_called_at=lead.last_called_at,
        converted_at=lead.converted_at,
        created_at=lead.created_at,
        updated_at=lead.updated_at,
    )


def saved_view(lead: StoredLead, *, existed: bool) -> SavedLead:
    """Show a lead that was just saved."""
    return SavedLead(**dict(lead_view(lead)), existed=existed)


def suppression_view(row: StoredSuppression) -> Suppression:
    """Show a suppressed number."""
    return Suppression(
        id=row.suppression_id,
        account_id=row.account_id,
        phone_number=row.phone_number,
        source=row.source,
        reason=row.reason,
        until=row.until,
        created_at=row.created_at,
    )
