"""What a change of a lead means to its enrolments: their numbers and zones follow, and mended causes are forgiven.

A skipped enrolment is terminal only until its cause is mended; which change mends which cause is the caller's word.
"""

from collections.abc import Sequence
from uuid import UUID

from dispatcher.rules.zones import zone_evidence
from dispatcher.store.db import Tx
from dispatcher.store.enrolling import OpenEnrolment, RenewedEnrolment, open_enrolments, renew_enrolments
from schema.reasons import ReasonCode
from schema.states import EnrolmentState

MENDED_BY_PLACE = frozenset({ReasonCode.ZONE_UNKNOWN, ReasonCode.NO_COMMON_WINDOW, ReasonCode.NUMBER_INVALID})
"""Causes that another number or an explicit zone may remove; the next tick judges anew."""

MENDED_BY_CONSENT = frozenset({ReasonCode.OPTED_OUT, ReasonCode.SUPPRESSED})


def renew(tx: Tx, lead_ids: Sequence[UUID], mended: frozenset[ReasonCode]) -> None:
    """Bring the leads' waiting and skipped enrolments up to date with the leads."""
    if lead_ids:
        renew_enrolments(tx, tuple(_renewed(one, mended) for one in open_enrolments(tx, lead_ids)))


def _renewed(one: OpenEnrolment, mended: frozenset[ReasonCode]) -> RenewedEnrolment:
    evidence = zone_evidence(one.phone_number, one.lead_timezone, one.schedule)
    forgiven = one.state is EnrolmentState.SKIPPED and one.skip_reason in mended
    again = EnrolmentState.RETRY_WAIT if one.attempts_used else EnrolmentState.PENDING
    return RenewedEnrolment(
        enrolment_id=one.enrolment_id,
        phone_number=one.phone_number,
        zones=evidence.zones,
        zone_source=evidence.source,
        state=again if forgiven else one.state,
        skip_reason=None if forgiven else one.skip_reason,
        due_now=forgiven or one.state is EnrolmentState.PENDING,
    )
