"""A connection to an address that was judged beforehand, under one deadline for all its waits.

Which addresses are allowed is decided in `dispatcher.public_addresses`; here the connection can go nowhere else: the
name in the URL only serves TLS and the Host header, and the connected peer is compared with the address that was meant.
"""

import ssl
import time
from collections.abc import Iterable
from ipaddress import ip_address

import httpcore

_WRITE_BYTES = 16 * 1024


class Deadline:
    """One time limit for many waits, on the monotonic clock."""

    def __init__(self, limit_s: float) -> None:
        self._ends_s = time.monotonic() + limit_s

    def left_s(self) -> float:
        """Return the seconds left.

        Raises:
            httpcore.ReadTimeout: none are.
        """
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left_s


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to the checked addresses only, whatever name is asked for; the deadline is shared out among them."""

    def __init__(self, addresses: tuple[str, ...], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 the name was resolved and judged before
        port: int,
        timeout: float | None = None,  # noqa: ARG002 the deadline is stricter
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first checked address that answers, and make sure that it is the one."""
        last: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("no address")
        for tried, address in enumerate(self._addresses):
            share_s = self._deadline.left_s() / (len(self._addresses) - tried)
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
                continue
            return _DeadlineStream(_with_peer(stream, address), self._deadline)
        raise last


def _with_peer(stream: httpcore.NetworkStream, address: str) -> httpcore.NetworkStream:
    peer = stream.get_extra_info("server_addr")[0]
    if ip_address(peer) != ip_address(address):
        stream.close()
        raise httpcore.ConnectError(f"connected to {peer} instead of {address}")
    return stream


class _DeadlineStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline, so a trickling peer gains nothing."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 the deadline is stricter
        return self._inner.read(max_bytes, self._deadline.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 the deadline is stricter
        for start in range(0, len(buffer), _WRITE_BYTES):
            self._inner.write(buffer[start : start + _WRITE_BYTES], self._deadline.left_s())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 the deadline is stricter
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left_s())
        return _DeadlineStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
