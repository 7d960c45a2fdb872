"""The guarded client against real sockets: nothing forbidden is reached, nothing hostile holds it."""

import socket
import sys
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from dispatcher.egress import MAX_ANSWER_BYTES, Egress, EgressFailed, EgressRefused, system_addresses
from dispatcher.public_addresses import address_fault
from tests.integration.after_call.outside import HOST, Script, post, read_request, resolving
from tests.integration.after_call.receiver import Receiver, Reply


class Connections:
    """Every address this process connects to while it is watched."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.watching = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if self.watching and event == "socket.connect":
            self.seen.append(args[1])


@pytest.fixture(scope="module")
def every_connection() -> Connections:
    return Connections()


@pytest.fixture
def connections(every_connection: Connections) -> Iterator[Connections]:
    every_connection.seen.clear()
    every_connection.watching = True
    yield every_connection
    every_connection.watching = False


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",), ("::1",), ("10.0.0.1",), ("169.254.169.254",), ("::ffff:127.0.0.1",),
        ("::ffff:169.254.169.254",),
        ("64:ff9b::7f00:1",), ("64:ff9b:1::7f00:1",), ("2002:7f00:1::",), ("::127.0.0.1",), ("fec0::1",),
        ("224.0.0.1",), ("ff02::1",), ("192.88.99.1",), ("192.0.0.8",), ("3fff::1",), ("5f00::1",), ("0.0.0.0",),
        ("93.184.216.34", "127.0.0.1"), ("2606:4700::1111", "::1"), ("1.1.1.1", "fd00:ec2::254"),
    ],
)  # fmt: skip
def test_one_forbidden_address_among_a_hosts_addresses_stops_the_request(
    connections: Connections, addresses: tuple[str, ...]
) -> None:
    with pytest.raises(EgressRefused):
        post(Egress(resolver=resolving(addresses)), f"https://{HOST}/hook")
    assert connections.seen == []


@pytest.mark.parametrize("form", ["0177.0.0.1", "2130706433", "0x7f.1", "127.1", "0x7f000001", "0", "localhost"])
def test_what_the_systems_resolver_makes_of_odd_forms_is_refused(connections: Connections, form: str) -> None:
    assert all(address_fault(address, allow_private=False) for address in system_addresses(form, 443))
    with pytest.raises(EgressRefused):
        post(Egress(), f"https://{form}/hook")
    assert connections.seen == []


def test_a_name_that_turns_private_between_two_tries_is_caught_at_the_second(connections: Connections) -> None:
    with Receiver() as receiver:
        egress = Egress(allow_private=True, resolver=resolving(("127.0.0.1",), ("169.254.169.254",)))
        assert post(egress, receiver.url(host=HOST)).status == 200
        with pytest.raises(EgressRefused):
            post(egress, receiver.url(host=HOST))
        assert len(receiver.received) == 1
    assert {address[0] for address in connections.seen if isinstance(address, tuple)} == {"127.0.0.1"}


def test_the_checked_address_is_the_one_connected_to_and_the_name_stays_in_the_host_header() -> None:
    look_ups: list[str] = []

    def resolver(host: str, port: int) -> tuple[str, ...]:
        look_ups.append(host)
        return ("127.0.0.1",)

    with Receiver() as receiver:
        assert post(Egress(allow_private=True, resolver=resolver), receiver.url(host=HOST)).status == 200
        assert receiver.received[0].headers["host"] == f"{HOST}:{receiver.port}"
    assert look_ups == [HOST]


def test_a_redirect_to_the_platform_is_returned_and_not_followed(connections: Connections) -> None:
    location = {"location": "http://169.254.169.254/latest/meta-data"}
    with Receiver(lambda _: Reply(302, location)) as receiver:
        assert post(Egress(allow_private=True), receiver.url()).status == 302
    assert {address[0] for address in connections.seen if isinstance(address, tuple)} == {"127.0.0.1"}


def test_the_environments_proxy_and_cookies_play_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver(lambda _: Reply(200, {"set-cookie": "a=b"})) as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        monkeypatch.setenv("ALL_PROXY", proxy.url(""))
        egress = Egress(allow_private=True)
        post(egress, receiver.url())
        post(egress, receiver.url())
        assert proxy.received == []
        assert "cookie" not in receiver.received[1].headers


def test_a_second_address_is_tried_when_the_first_refuses() -> None:
    with Receiver() as receiver:
        egress = Egress(allow_private=True, resolver=resolving(("127.0.0.2", "127.0.0.1")))
        assert post(egress, receiver.url(host=HOST)).status == 200


def test_a_reply_without_end_is_read_to_the_limit(serve: Callable[[Script], int]) -> None:
    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    answer = post(Egress(allow_private=True), f"http://127.0.0.1:{serve(flood)}/")
    assert (answer.status, len(answer.body)) == (200, MAX_ANSWER_BYTES)


def test_a_compressed_reply_is_not_unpacked() -> None:
    bomb = b"\x1f\x8b" + b"\x00" * 100
    with Receiver(lambda _: Reply(200, {"content-encoding": "gzip"}, bomb)) as receiver:
        assert post(Egress(allow_private=True), receiver.url()).body == bomb


def trickle_the_head(connection: socket.socket) -> None:
    read_request(connection)
    connection.settimeout(0.02)
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x-slow: " + b"y" * 100_000:
        connection.sendall(bytes([byte]))
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(65_536):
        continue


@pytest.mark.parametrize("script", [trickle_the_head, say_nothing])
def test_a_receiver_that_stalls_costs_no_more_than_the_time_limit(
    serve: Callable[[Script], int], script: Script
) -> None:
    with pytest.raises(EgressFailed, match=r"no answer within 0\.3 s"):
        post(Egress(allow_private=True, timeout_s=0.3), f"http://127.0.0.1:{serve(script)}/")


def test_a_handshake_that_stalls_costs_no_more_than_the_time_limit(serve: Callable[[Script], int]) -> None:
    with pytest.raises(EgressFailed, match=r"no answer within 0\.3 s"):
        post(Egress(allow_private=True, timeout_s=0.3), f"https://127.0.0.1:{serve(say_nothing)}/")


def test_a_resolver_that_stalls_costs_no_more_than_the_time_limit() -> None:
    never = Event()

    def resolver(host: str, port: int) -> tuple[str, ...]:
        never.wait(60)
        return ()

    with pytest.raises(EgressFailed, match="not resolved in time"):
        post(Egress(timeout_s=0.3, resolver=resolver), f"https://{HOST}/")
    never.set()


def test_a_body_cut_short_still_has_its_status(serve: Callable[[Script], int]) -> None:
    def cut(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 204 Fine\r\ncontent-length: 100\r\n\r\nhal")

    def cut_with_body(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Fine\r\ncontent-length: 100\r\n\r\nhal")

    assert post(Egress(allow_private=True), f"http://127.0.0.1:{serve(cut)}/").status == 204
    answer = post(Egress(allow_private=True), f"http://127.0.0.1:{serve(cut_with_body)}/")
    assert (answer.status, answer.body) == (200, b"hal")


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/9 hello\r\n\r\n"])
def test_a_reply_that_is_not_http_is_a_failure(serve: Callable[[Script], int], reply: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply)

    with pytest.raises(EgressFailed):
        post(Egress(allow_private=True), f"http://127.0.0.1:{serve(answer)}/")


def test_an_unknown_host_is_a_failure_not_a_refusal() -> None:
    def resolver(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(EgressFailed, match="cannot be resolved"):
        post(Egress(resolver=resolver), f"https://{HOST}/")
