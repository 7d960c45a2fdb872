"""Which network addresses an account may make us talk to: our own table, pure, the same on every Python.

`ipaddress.is_global` is not asked: its answers differ between patch releases and call 6to4, NAT64 and site-local forms
of a loopback public. IPv6 is closed but for global unicast; IPv4 inside IPv6 is judged as the IPv4 it is.
Source: IANA special-purpose address registries; cloud vendors' metadata addresses.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PLATFORM = tuple(
    ip_network(net)
    for net in (
        "169.254.0.0/16",  # link-local, cloud metadata
        "168.63.129.16/32",  # Azure platform
        "100.64.0.0/10",  # shared address space, Alibaba metadata
        "fd00:ec2::/32",  # AWS metadata
        "fd20:ce::/32",  # Google metadata
        "fe80::/10",  # link-local
    )
)
_PRIVATE = tuple(
    ip_network(net) for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
_SPECIAL = tuple(
    ip_network(net)
    for net in (
        "0.0.0.0/8",  # this network
        "192.0.0.0/24",  # IETF protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # IETF protocols, Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_IPV4_INSIDE = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))


def address_fault(text: str, *, allow_private: bool) -> str | None:
    """Say in words why an address must not be connected to; None when it may.

    `allow_private` opens loopback and private networks, never the platform's own addresses.
    """
    try:
        address = _judged(ip_address(text))
    except ValueError:
        return f"{text} is not an address"
    if _inside(address, _PLATFORM):
        return f"{text} belongs to the platform or the local link"
    if _inside(address, _PRIVATE):
        return None if allow_private else f"{text} is not public"
    if _inside(address, _SPECIAL):
        return f"{text} is set aside for special use"
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return f"{text} is not a global unicast address"
    return None


def is_numeric_host(host: str) -> bool:
    """Tell whether a resolver would read `host` as an address: an IP literal, or a last label that is a number."""
    try:
        ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2].lower()
        return last.isdigit() or (last.startswith("0x") and all(c in "0123456789abcdef" for c in last[2:]))
    return True


def _judged(address: Address) -> Address:
    """Unwrap IPv4 that travels inside IPv6: v4-mapped and the well-known NAT64 prefix."""
    if isinstance(address, IPv6Address) and any(address in net for net in _IPV4_INSIDE):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _inside(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == net.version and address in net for net in networks)
