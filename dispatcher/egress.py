"""The one guarded HTTP client for every address an account can point us at.

Each request is judged anew: the URL, then every address its name resolves to, then the peer it is connected to. The
connection goes to a checked address, with the name kept for TLS and Host. No redirects, no proxy or netrc from the
environment, no cookies, no reuse; the whole exchange, DNS included, has one deadline and the reply is read to a limit.
Code alone is not the wall: production networks also need an egress policy.
Source: OWASP SSRF Prevention Cheat Sheet; Standard Webhooks 1.0.0.
"""

import queue
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread

import httpcore
import httpx

from dispatcher.errors import DispatcherError
from dispatcher.pinned import Deadline, PinnedBackend
from dispatcher.public_addresses import address_fault, is_numeric_host

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to addresses, as text. Raises OSError when the name is not known."""

PUBLIC_PORTS = frozenset({443, 8443})
MAX_ANSWER_BYTES = 64 * 1024
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
USER_AGENT = "Trunkline/1 (+webhooks)"


class EgressError(DispatcherError):
    """The request got no answer; `detail` says why, in words fit for the account."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


class EgressRefused(EgressError):
    """Our own rules forbid the request; nothing was sent."""


class EgressFailed(EgressError):
    """The network or the receiver failed; the request may have arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A receiver's reply; header names in lower case, the body cut at 64 KiB and not decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver for every address of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def url_fault(url: str, *, allow_private: bool) -> str | None:
    """Say in words why a URL can never be called, before its name is resolved; None when it may be.

    Public rules: https, port 443 or 8443, a host name, no user or password. `allow_private` is for demos and tests:
    it also opens http, any port and IP literals.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        return f"is not a URL: {error}"
    if parsed.scheme not in ("https", "http") or not parsed.host:
        return "must be an https URL with a host"
    if parsed.userinfo:
        return "must not carry a user or password"
    if not _HOST.fullmatch(host := parsed.raw_host.decode()) and not is_numeric_host(host):
        return f"names {host!r}, which is no host"
    return None if allow_private else _public_url_fault(parsed)


def _public_url_fault(url: httpx.URL) -> str | None:
    if url.scheme != "https":
        return "must use https"
    if url.port is not None and url.port not in PUBLIC_PORTS:
        return "must use port 443 or 8443"
    if is_numeric_host(url.raw_host.decode()):
        return "must name a host, not an IP address"
    return None


class Egress:
    """Guarded HTTP requests. Safe to share between threads.

    Args:
        allow_private: open loopback, private networks, http and any port; for demos and tests.
        timeout_s: limit of a whole exchange, from DNS to the last byte read.
        resolver: how names become addresses.
        ssl_context: what certificates are trusted; the public authorities unless given.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        timeout_s: float = 10.0,
        resolver: Resolver = system_addresses,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST once and return the reply, whatever its status; a redirect is returned, never followed.

        Raises:
            EgressRefused: the URL, or an address of its host, is not allowed.
            EgressFailed: no DNS answer, no connection, no TLS, or no complete reply head in time.
        """
        deadline = Deadline(self._timeout_s)
        if fault := url_fault(url, allow_private=self._allow_private):
            raise EgressRefused(f"refused: the URL {fault}")
        parsed = httpx.URL(url)
        addresses = self._checked_addresses(parsed, deadline)
        transport = _PinnedTransport(addresses, deadline, self._ssl_context)
        sent = {"user-agent": USER_AGENT, "accept-encoding": "identity", **headers}
        try:
            with (
                httpx.Client(transport=transport, trust_env=False, timeout=self._timeout_s) as client,
                client.stream("POST", parsed, content=body, headers=sent, follow_redirects=False) as response,
            ):
                return Answer(response.status_code, dict(response.headers), _read(response))
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise EgressFailed(f"no answer within {self._timeout_s:g} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError, ssl.SSLError, OSError) as error:
            raise EgressFailed(f"failed: {error or type(error).__name__}") from error

    def _checked_addresses(self, url: httpx.URL, deadline: Deadline) -> tuple[str, ...]:
        host, port = url.raw_host.decode(), url.port if url.port is not None else _DEFAULT_PORTS[url.scheme]
        addresses = _resolved(self._resolver, host, port, deadline)
        if not addresses:
            raise EgressFailed(f"the host {host} has no address")
        for address in addresses:
            if fault := address_fault(address, allow_private=self._allow_private):
                raise EgressRefused(f"refused: {fault}")
        return tuple(addresses)


def _resolved(resolver: Resolver, host: str, port: int, deadline: Deadline) -> Sequence[str]:
    """Resolve in a thread of its own, since the system's resolver takes no time limit."""
    answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolver(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left_s())
    except (queue.Empty, httpcore.ReadTimeout):
        raise EgressFailed(f"the host {host} was not resolved in time") from None
    if isinstance(answer, OSError):
        raise EgressFailed(f"the host {host} cannot be resolved") from answer
    return answer


def _read(response: httpx.Response) -> bytes:
    """Read the raw body up to the limit; a reply cut short by its sender or the clock still has its status."""
    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= MAX_ANSWER_BYTES:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return bytes(body)
    return bytes(body[:MAX_ANSWER_BYTES])


class _PinnedTransport(httpx.BaseTransport):
    """One request over a fresh connection to one of the checked addresses."""

    def __init__(self, addresses: tuple[str, ...], deadline: Deadline, ssl_context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_keepalive_connections=0,
            network_backend=PinnedBackend(addresses, deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return the reply's head; the body is read as it is asked for."""
        url = request.url
        reply = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            reply.status, headers=reply.headers, stream=_ReplyStream(reply), extensions=reply.extensions
        )

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


class _ReplyStream(httpx.SyncByteStream):
    """A reply's body as httpx reads it."""

    def __init__(self, reply: httpcore.Response) -> None:
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        yield from self._reply.iter_stream()

    def close(self) -> None:
        self._reply.close()
