"""The outside world of the guarded client: scripted sockets and resolvers that lie."""

import socket
from collections.abc import Callable

from dispatcher.egress import Answer, Egress, Resolver

HOST = "hooks.example"
Script = Callable[[socket.socket], None]
"""What one accepted connection is answered with; it is closed afterwards."""


def post(egress: Egress, url: str) -> Answer:
    return egress.post(url, body=b"{}", headers={"content-type": "application/json"})


def resolving(*answers: tuple[str, ...]) -> Resolver:
    """Answer each look-up with the next set of addresses, the last for ever."""
    left = list(answers)
    return lambda _host, _port: left.pop(0) if len(left) > 1 else left[0]
