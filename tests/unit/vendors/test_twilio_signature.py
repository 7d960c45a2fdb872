"""Our signature rule agrees with Twilio's own validator, and refuses everything else."""

import pytest
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from media.carriers.twilio.signature import valid

TOKEN = "test_token_123"
STATUS_URL = "https://gw.example.org/hooks/twilio/status"
STATUS_FORM = {"CallSid": "CA00000000000000000000000000000001", "CallStatus": "completed", "CallDuration": "12"}
SOCKET_URL = "wss://gw.example.org/v1/media/tok"


def test_known_vectors_hold() -> None:
    assert valid(TOKEN, STATUS_URL, STATUS_FORM, "8VRHjRIjsC6K+/ecRWDfJfYYTgM=")
    assert valid(TOKEN, SOCKET_URL, {}, "jQeiX7B7iKDRZBBsPM3JsxYA2SU=")


@pytest.mark.parametrize(
    "url",
    [
        STATUS_URL,
        "https://gw.example.org:443/hooks",
        "https://gw.example.org:8443/hooks?a=1&b=%20c",
        "http://gw.example.org/",
        "http://127.0.0.1:8080/carriers/twilio/status/1",
    ],
)
@pytest.mark.parametrize("form", [{}, STATUS_FORM, {"To": "+49 30 ü", "Empty": ""}])
def test_what_twilio_signs_is_valid_here(url: str, form: dict[str, str]) -> None:
    theirs = RequestValidator(TOKEN)
    signature = theirs.compute_signature(url, form)
    assert theirs.validate(url, form, signature)
    assert valid(TOKEN, url, form, signature)


def test_a_default_port_may_or_may_not_have_been_signed() -> None:
    theirs = RequestValidator(TOKEN)
    with_port = theirs.compute_signature("https://gw.example.org:443/hooks/twilio/status", STATUS_FORM)
    without = theirs.compute_signature(STATUS_URL, STATUS_FORM)
    assert valid(TOKEN, STATUS_URL, STATUS_FORM, with_port)
    assert valid(TOKEN, "https://gw.example.org:443/hooks/twilio/status", STATUS_FORM, without)


def test_a_sockets_upgrade_may_have_been_signed_as_https() -> None:
    signature = RequestValidator(TOKEN).compute_signature("https://gw.example.org/v1/media/tok", {})
    assert valid(TOKEN, SOCKET_URL, {}, signature)


def test_repeated_fields_are_signed_once_and_sorted() -> None:
    form = MultiDict([("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "b")])
    assert valid(TOKEN, STATUS_URL, form, RequestValidator(TOKEN).compute_signature(STATUS_URL, form))


@pytest.mark.parametrize(
    ("token", "url", "form"),
    [
        ("other_token", STATUS_URL, STATUS_FORM),
        (TOKEN, STATUS_URL + "x", STATUS_FORM),
        (TOKEN, STATUS_URL, STATUS_FORM | {"CallDuration": "13"}),
        (TOKEN, STATUS_URL, STATUS_FORM | {"Extra": "1"}),
        (TOKEN, STATUS_URL, {}),
    ],
)
def test_anything_changed_is_refused(token: str, url: str, form: dict[str, str]) -> None:
    assert not valid(token, url, form, "8VRHjRIjsC6K+/ecRWDfJfYYTgM=")


@pytest.mark.parametrize("signature", ["", "ü", "8VRHjRIjsC6K+/ecRWDfJfYYTgM"])
def test_a_broken_signature_is_refused(signature: str) -> None:
    assert not valid(TOKEN, STATUS_URL, STATUS_FORM, signature)
