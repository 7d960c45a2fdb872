"""Decides whether a request really comes from Twilio: the X-Twilio-Signature rule, in our own code.

The signature is base64(HMAC-SHA1(auth token, URL + every field name and value)), fields sorted by name, values sorted
and without repeats. The URL may have been signed with or without its default port, and a socket's upgrade as wss or as
https. Source: Twilio, Webhooks security.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

_TWINS = {"wss": "https", "ws": "http"}
_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


def valid(auth_token: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    """Tell whether the signature fits the full public URL and the form; `form` is empty for a socket's upgrade."""
    fields = _signed_fields(form)
    presented = signature.encode()
    fits = False
    for candidate in _spellings(url):
        expected = sign(auth_token, candidate + fields)
        fits |= hmac.compare_digest(expected.encode(), presented)
    return fits


def sign(auth_token: str, signed_text: str) -> str:
    """Compute the signature of the text, base64."""
    digest = hmac.new(auth_token.encode(), signed_text.encode(), hashlib.sha1).digest()
    return b64encode(digest).decode("ascii")


def _signed_fields(form: Mapping[str, str]) -> str:
    """Join names and values; a multi-valued mapping yields a name more than once."""
    values: dict[str, set[str]] = {}
    for name, value in form.items():
        values.setdefault(name, set()).add(value)
    return "".join(name + value for name in sorted(values) for value in sorted(values[name]))


def _spellings(url: str) -> list[str]:
    parts = urlsplit(url)
    schemes = [parts.scheme] + ([_TWINS[parts.scheme]] if parts.scheme in _TWINS else [])
    found: list[str] = []
    for scheme in schemes:
        found.extend(_with_and_without_port(url, parts, scheme))
    return found


def _with_and_without_port(url: str, parts: SplitResult, scheme: str) -> list[str]:
    rest = url[len(parts.scheme) + len("://") + len(parts.netloc) :]
    host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    port = parts.port or _PORTS.get(scheme)
    bare = f"{scheme}://{host}{rest}"
    return [bare, f"{scheme}://{host}:{port}{rest}"] if port else [bare]
