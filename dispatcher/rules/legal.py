"""Which legal hours hold for a number: the country's row and the stricter of its region's.

Reads the table of `legal_hours`. A number whose country has regional rows but which tells no region gets all of them at
once, the strictest reading. Does not know campaigns; whether legal hours are respected at all is the schedule's word.
"""

from functools import lru_cache, reduce

from dispatcher.rules.legal_hours import DEFAULT_HOURS, LEGAL_ROWS, LegalRow
from dispatcher.rules.numbers import Place, place_of
from dispatcher.rules.wall import common
from dispatcher.rules.windows import Layer


def legal_layer(phone_number: str) -> Layer:
    """Return the legal hours of a number's place; the same object for the same place."""
    return _layer(place_of(phone_number))


@lru_cache(maxsize=16_384)
def _layer(place: Place) -> Layer:
    return _layer_of_rows(legal_rows(place))


@lru_cache(maxsize=1_024)
def _layer_of_rows(rows: tuple[LegalRow, ...]) -> Layer:
    return Layer(reduce(common, (row.hours for row in rows)) if rows else DEFAULT_HOURS, None)


def legal_rows(place: Place) -> tuple[LegalRow, ...]:
    """Return the rows that hold at a place; none means the default hours."""
    of_country = tuple(row for row in LEGAL_ROWS if row.country == place.country)
    if place.region is None:
        return of_country
    return tuple(row for row in of_country if row.region in (None, place.region))


def legal_basis(phone_number: str) -> str:
    """Return the citations of the hours that hold for a number, for reasons and records."""
    return _basis(place_of(phone_number))


@lru_cache(maxsize=16_384)
def _basis(place: Place) -> str:
    rows = legal_rows(place)
    if place.region is None and len(rows) > 1:
        return f"region unknown, strictest of {len(rows)} rules of {place.country}"
    return "; ".join(row.citation for row in rows) or "default 08:00-21:00"
