from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.channels.public_address import is_permitted, parse_networks

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",  # metadata of most clouds
    "100.100.100.200",  # metadata of Alibaba Cloud
    "168.63.129.16",  # Azure
    "192.0.0.192",  # metadata of Oracle Cloud
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of AWS over IPv6
    "ff02::1",
    "fec0::1",
    "2001:db8::1",
    "2001::1",  # Teredo
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:0808:0808::1",
    "64:ff9b:1::1",
    "100::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b::a9fe:a9fe",
    "::7f00:1",
]


@pytest.mark.parametrize("text", REFUSED)
def test_addresses_that_are_not_public_are_refused(text: str) -> None:
    assert not is_permitted(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8",
        "1.1.1.1",
        "93.184.215.14",
        "172.32.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_public_addresses_are_permitted(text: str) -> None:
    assert is_permitted(ipaddress.ip_address(text))


def test_only_the_allowed_networks_are_excepted() -> None:
    allowed = parse_networks(["10.1.0.0/16", "::1/128"])
    assert is_permitted(ipaddress.ip_address("10.1.2.3"), allowed)
    assert is_permitted(ipaddress.ip_address("::ffff:10.1.2.3"), allowed)
    assert is_permitted(ipaddress.ip_address("::1"), allowed)
    assert not is_permitted(ipaddress.ip_address("10.2.0.1"), allowed)
    assert not is_permitted(ipaddress.ip_address("127.0.0.1"), allowed)


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_ipv6_is_judged_like_the_address(inner: ipaddress.IPv4Address) -> None:
    verdict = is_permitted(inner)
    assert is_permitted(ipaddress.IPv6Address(0xFFFF << 32 | int(inner))) is verdict
    assert is_permitted(ipaddress.IPv6Address((0x64FF9B << 96) | int(inner))) is verdict


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"allowed_networks.*10\.0\.0\.0/33"):
        parse_networks(["10.0.0.0/33"])
