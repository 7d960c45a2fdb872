"""What a phone number alone tells: whether it can be dialled, and the country, region and area code it belongs to.

Judged with libphonenumber's metadata and the table of area codes; porting and roaming are unknown here. Does not know
time zones.
"""

from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException

from dispatcher.rules.area_codes import AREA_CODES

_PLACE_DIGITS = 5
"""Characters of an E.164 number that settle its place: "+1" and an area code, or a calling code of up to 3 digits."""


class Place(NamedTuple):
    """Where a number belongs: ISO country, state or province where the plan tells, NANP area code."""

    country: str | None
    region: str | None
    area_code: str | None


@lru_cache(maxsize=65_536)
def dialable(phone_number: str) -> str | None:
    """Return None for an E.164 number that can be dialled, else its fault in words."""
    try:
        number = phonenumbers.parse(phone_number)
    except NumberParseException as error:
        return f"{phone_number} is not a phone number: {str(error).partition(') ')[2] or error}"
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != phone_number:
        return f"{phone_number} is not in E.164 format (e.g. +14155551234)"
    if not phonenumbers.is_valid_number(number):
        return f"{phone_number} is not in use by the numbering plan of its country"
    return None


def place_of(phone_number: str) -> Place:
    """Return where an E.164 number belongs; fields that the number does not tell are None."""
    return _place(phone_number[:_PLACE_DIGITS])


def country_of(phone_number: str) -> str | None:
    """Return the ISO country of an E.164 number, the main one where countries share a calling code."""
    return _place(phone_number[:_PLACE_DIGITS]).country


def region_of(phone_number: str) -> str | None:
    """Return the state or province of a number of the North American plan, None elsewhere or when it has none."""
    return _place(phone_number[:_PLACE_DIGITS]).region


@lru_cache(maxsize=16_384)
def _place(prefix: str) -> Place:
    digits = prefix[1:]
    if digits.startswith("1"):
        area_code = digits[1:]
        country, region = _NANP.get(area_code, ("US", None))
        return Place(country, region, area_code)
    if digits.startswith(("76", "77")):
        return Place("KZ", None, None)
    for length in (1, 2, 3):
        if regions := COUNTRY_CODE_TO_REGION_CODE.get(_number(digits[:length])):
            return Place(regions[0] if regions[0] != "001" else None, None, None)
    return Place(None, None, None)


def _number(digits: str) -> int:
    return int(digits) if digits.isdecimal() else 0


_NANP: dict[str, tuple[str, str | None]] = {
    area_code: (country, region or None)
    for country, regions in AREA_CODES.items()
    for region, area_codes in regions.items()
    for area_code in area_codes.split()
}
