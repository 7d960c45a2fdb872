"""Which time zones a person may be in, and by what evidence.

Order of evidence: the lead's own zone, then the zones libphonenumber gives for the number when they are few, then the
campaign's rule for unknown places. The answer is a set: the allowed time is the intersection over it. An explicit zone
that cannot be read is unknown and fails closed. Does not know windows.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
import pytz
from phonenumbers import NumberParseException
from phonenumbers import timezone as number_zones

from schema.policy import Schedule

MAX_ZONES = 6
"""A larger set (toll-free, some mobile ranges) says nothing useful about a person's place."""

TZDATA_VERSION = pytz.VERSION
PHONE_METADATA_VERSION = phonenumbers.__version__

Source = Literal["lead", "number", "campaign", "unknown"]
_NO_ZONE = ("", "Etc/Unknown")


@dataclass(frozen=True, slots=True)
class ZoneEvidence:
    """The zones a person may be in (empty when nobody knows) and where that comes from."""

    zones: tuple[str, ...]
    source: Source


def zone_evidence(phone_number: str, lead_timezone: str | None, schedule: Schedule) -> ZoneEvidence:
    """Return the zone set of a lead in a campaign with this schedule."""
    explicit = (lead_timezone or "").strip()
    if explicit not in _NO_ZONE:
        zone = canonical_zone(explicit)
        return ZoneEvidence((zone,), "lead") if zone else ZoneEvidence((), "unknown")
    zones = zones_of_number(phone_number)
    if 1 <= len(zones) <= MAX_ZONES:
        return ZoneEvidence(zones, "number")
    if schedule.unknown_timezone == "campaign":
        return ZoneEvidence((schedule.timezone,), "campaign")
    return ZoneEvidence((), "unknown")


def canonical_zone(name: str) -> str | None:
    """Return the tz database's spelling of a zone name, None when it knows none such."""
    try:
        return pytz.timezone(name).zone
    except pytz.UnknownTimeZoneError:
        return None


@lru_cache(maxsize=65_536)
def zones_of_number(phone_number: str) -> tuple[str, ...]:
    """Return every zone the numbering plan allows for a number, sorted; empty when it or one of them is unknown."""
    try:
        number = phonenumbers.parse(phone_number)
    except NumberParseException:
        return ()
    names = [name for name in number_zones.time_zones_for_number(number) if name not in _NO_ZONE]
    known = [canonical_zone(name) for name in names]
    found = {zone for zone in known if zone is not None}
    return tuple(sorted(found)) if None not in known else ()
