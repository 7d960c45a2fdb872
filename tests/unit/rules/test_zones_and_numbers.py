"""What a number and a lead's own words tell about where a person is."""

import phonenumbers
import pytest
from phonenumbers import geocoder

from dispatcher.rules.area_codes import AREA_CODES
from dispatcher.rules.legal import legal_basis, legal_rows
from dispatcher.rules.legal_hours import LEGAL_ROWS
from dispatcher.rules.numbers import Place, country_of, dialable, place_of, region_of
from dispatcher.rules.zones import ZoneEvidence, zone_evidence, zones_of_number
from tests.unit.rules.builders import a_schedule

BERLIN = a_schedule(timezone="Europe/Berlin")
SKIP = a_schedule(unknown_timezone="skip")
TOLL_FREE = "+18005551234"
AUSTRALIAN_MOBILE = "+61412345678"


@pytest.mark.parametrize(
    ("phone_number", "zone"),
    [
        ("+18502221234", "America/New_York"),
        ("+18504321234", "America/Chicago"),
        ("+18124251234", "America/Chicago"),
        ("+18123391234", "America/New_York"),
        ("+12088821234", "America/Los_Angeles"),
        ("+12083431234", "America/Denver"),
        ("+16053421234", "America/Denver"),
        ("+16053321234", "America/Chicago"),
        ("+19282141234", "America/Phoenix"),
        ("+919876543210", "Asia/Calcutta"),
        ("+9779812345678", "Asia/Katmandu"),
    ],
)
def test_the_exchange_settles_the_zone(phone_number: str, zone: str) -> None:
    assert zone_evidence(phone_number, None, BERLIN) == ZoneEvidence((zone,), "number")


def test_a_small_set_is_kept_whole() -> None:
    evidence = zone_evidence("+447911123456", None, BERLIN)
    assert evidence.source == "number"
    assert len(evidence.zones) == 4
    assert "Europe/London" in evidence.zones


@pytest.mark.parametrize(("phone_number", "zones"), [(TOLL_FREE, 42), (AUSTRALIAN_MOBILE, 8), ("+79161234567", 16)])
def test_a_large_set_counts_as_unknown(phone_number: str, zones: int) -> None:
    assert len(zones_of_number(phone_number)) == zones
    assert zone_evidence(phone_number, None, BERLIN) == ZoneEvidence(("Europe/Berlin",), "campaign")
    assert zone_evidence(phone_number, None, SKIP) == ZoneEvidence((), "unknown")


def test_the_leads_own_zone_wins() -> None:
    assert zone_evidence(TOLL_FREE, "America/Denver", SKIP) == ZoneEvidence(("America/Denver",), "lead")
    assert zone_evidence("+18502221234", "america/denver", SKIP) == ZoneEvidence(("America/Denver",), "lead")


@pytest.mark.parametrize("blank", ["", "  ", "Etc/Unknown", None])
def test_an_empty_zone_is_no_zone(blank: str | None) -> None:
    assert zone_evidence("+18502221234", blank, SKIP) == ZoneEvidence(("America/New_York",), "number")


def test_a_zone_nobody_knows_fails_closed() -> None:
    assert zone_evidence("+18502221234", "Mars/Base", BERLIN) == ZoneEvidence((), "unknown")


def test_a_number_without_a_country_has_no_zone() -> None:
    assert zone_evidence("+999123456", None, SKIP) == ZoneEvidence((), "unknown")


@pytest.mark.parametrize("phone_number", ["+12125550123", "+447911123456", AUSTRALIAN_MOBILE, TOLL_FREE])
def test_real_numbers_can_be_dialled(phone_number: str) -> None:
    assert dialable(phone_number) is None


@pytest.mark.parametrize(
    ("phone_number", "word"),
    [
        ("+999123456", "not a phone number"),
        ("hello", "not a phone number"),
        ("", "not a phone number"),
        ("+1 212 555 0123", "E.164"),
        ("+11125550123", "not in use"),
        ("+1212555", "not in use"),
    ],
)
def test_other_texts_cannot_and_say_why(phone_number: str, word: str) -> None:
    assert word in (dialable(phone_number) or "")


@pytest.mark.parametrize(
    ("phone_number", "place"),
    [
        ("+12125550123", Place("US", "NY", "212")),
        ("+18765551234", Place("JM", None, "876")),
        ("+14165551234", Place("CA", "ON", "416")),
        ("+17875551234", Place("US", "PR", "787")),
        (TOLL_FREE, Place("US", None, "800")),
        ("+447911123456", Place("GB", None, None)),
        ("+79161234567", Place("RU", None, None)),
        ("+77011234567", Place("KZ", None, None)),
        ("+999123456", Place(None, None, None)),
        ("", Place(None, None, None)),
    ],
)
def test_a_number_tells_its_place(phone_number: str, place: Place) -> None:
    assert place_of(phone_number) == place
    assert (country_of(phone_number), region_of(phone_number)) == (place.country, place.region)


def test_the_area_codes_agree_with_libphonenumber() -> None:
    for country, regions in AREA_CODES.items():
        for region, codes in regions.items():
            for code in codes.split():
                number = phonenumbers.parse(f"+1{code}5551234")
                owner = phonenumbers.region_code_for_number(number)
                assert owner == (region if country == "US" and owner != "US" else country), code


def test_the_states_agree_with_the_geocoder() -> None:
    compared = 0
    for region, codes in AREA_CODES["US"].items():
        for code in codes.split():
            for exchange in range(200, 1000, 23):
                number = phonenumbers.parse(f"+1{code}{exchange}1234")
                city, comma, state = geocoder.description_for_number(number, "en").rpartition(", ")
                compared += bool(comma)
                assert not comma or state == region, (code, city)
    assert compared > 1_000


def test_no_area_code_has_two_places() -> None:
    codes = [code for regions in AREA_CODES.values() for text in regions.values() for code in text.split()]
    assert len(codes) == len(set(codes))


def test_every_legal_row_has_its_source_and_its_review() -> None:
    assert all(row.citation and row.reviewed_on for row in LEGAL_ROWS)
    places = [(row.country, row.region) for row in LEGAL_ROWS]
    assert len(places) == len(set(places))


def test_the_state_is_joined_to_the_federal_rule() -> None:
    assert [row.region for row in legal_rows(place_of("+13055551234"))] == [None, "FL"]
    assert [row.region for row in legal_rows(place_of("+12125551234"))] == [None]
    assert "501.616" in legal_basis("+13055551234")


def test_a_number_without_a_state_gets_the_strictest_reading() -> None:
    rows = legal_rows(place_of(TOLL_FREE))
    assert len(rows) == sum(row.country == "US" for row in LEGAL_ROWS)
    assert "strictest" in legal_basis(TOLL_FREE)


def test_countries_without_a_row_have_the_default() -> None:
    assert legal_rows(place_of("+447911123456")) == ()
    assert legal_basis("+447911123456") == "default 08:00-21:00"
