"""Which addresses and URLs an account may point us at, form by form."""

import pytest

from dispatcher.egress import url_fault
from dispatcher.public_addresses import address_fault, is_numeric_host

NEVER = [
    "0.0.0.0", "0.1.2.3", "100.64.0.1", "100.100.100.200", "168.63.129.16", "169.254.0.1", "169.254.169.254",
    "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    "::", "::127.0.0.1", "::10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2620:4f:8000::1", "3fff::1", "5f00::1", "fd00:ec2::254",
    "fd20:ce::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "not-an-address", "",
    "127.1", "0177.0.0.1",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "10.255.255.255", "127.0.0.1", "127.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::c0a8:1", "fc00::1", "fdff::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "169.253.255.255", "172.15.255.255",
    "172.32.0.1", "192.0.1.1", "192.167.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255",
    "2001:200::1", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip


@pytest.mark.parametrize("address", NEVER)
def test_special_and_platform_addresses_are_refused_even_in_a_demo(address: str) -> None:
    assert address_fault(address, allow_private=False) is not None
    assert address_fault(address, allow_private=True) is not None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused_unless_opened(address: str) -> None:
    assert address_fault(address, allow_private=False) is not None
    assert address_fault(address, allow_private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert address_fault(address, allow_private=False) is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0177.0.0.1", "2130706433", "0x7f.1", "127.1", "0", "0x7f000001", "1.2.3.4.", "::1", "a.0x1"]
)
def test_a_host_that_a_resolver_reads_as_an_address_is_numeric(host: str) -> None:
    assert is_numeric_host(host)


@pytest.mark.parametrize("host", ["example.com", "1.example", "0x7f.example.com", "xn--bcher-kva.example", "a1"])
def test_a_name_is_not_numeric(host: str) -> None:
    assert not is_numeric_host(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com", "https://example.com/hook?a=b#c", "https://example.com:443/", "https://example.com:8443/",
        "HTTPS://EXAMPLE.COM/", "https://bücher.example/",
    ],
)  # fmt: skip
def test_an_https_url_of_a_named_host_passes(url: str) -> None:
    assert url_fault(url, allow_private=False) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "/hook", "//example.com/hook", "https://", "https:///hook", "http://example.com",
        "ftp://example.com", "file:///etc/passwd", "gopher://example.com", "javascript:alert(1)", "data:text/plain,x",
        "unix:///var/run/docker.sock", "https://user@example.com", "https://user:pass@example.com",
        "https://:pass@example.com", "https://good.example@127.0.0.1/",
        "https://example.com:22", "https://example.com:25", "https://example.com:80", "https://example.com:5432",
        "https://example.com:6379", "https://example.com:8080", "https://example.com:99999", "https://example.com:-1",
        "https://example.com:0",
        "https://127.0.0.1", "https://127.1", "https://0177.0.0.1", "https://2130706433", "https://0x7f.1",
        "https://0x7f000001", "https://0", "https://1.1.1.1", "https://[::1]", "https://[::ffff:127.0.0.1]",
        "https://[64:ff9b::7f00:1]", "https://[2002:7f00:1::]", "https://[fe80::1%25eth0]", "https://169.254.169.254",
        "https://example.com/\r\nHost: evil", "https://exa\r\nmple.com/", "https://exa mple.com/", "https://example.com\x00/",
        "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "https://[broken", "https://[example.com]/",
    ],
)  # fmt: skip
def test_every_other_form_is_refused(url: str) -> None:
    assert url_fault(url, allow_private=False) is not None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hook", "http://localhost:9000", "https://[::1]:8443/"])
def test_a_demo_may_use_http_any_port_and_addresses(url: str) -> None:
    assert url_fault(url, allow_private=True) is None


@pytest.mark.parametrize("url", ["ftp://localhost", "http://user@localhost", "http://", "http://local\r\nhost"])
def test_a_demo_still_refuses_what_is_no_web_url(url: str) -> None:
    assert url_fault(url, allow_private=True) is not None
