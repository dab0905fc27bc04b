"""Which addresses a URL named by a client may lead to: public ones, and what the configuration allows.

A client must not reach through this server what only the server can reach: itself, its private network, the
metadata service of its cloud.

Source of the ranges: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})

# Beyond what ipaddress calls "not global", whose judgement differs between Python releases.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",  # Azure's metadata and DNS, a public address that answers inside only
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks in CIDR form. Raises `ValueError` naming the first that is not one."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ValueError(f"allowed_networks: {error}") from None
    return tuple(networks)


def is_loopback(text: str) -> bool:
    """Whether the text is a literal loopback address."""
    try:
        return ipaddress.ip_address(text.strip("[]")).is_loopback
    except ValueError:
        return False


def is_permitted(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether a connection may be made: the address is public, or in an allowed network.

    An IPv4 address wrapped in an IPv6 one (mapped, NAT64) is judged as the IPv4 address it leads to.
    """
    inner = _embedded_ipv4(address)
    if inner is not None:
        return is_permitted(inner, allowed)
    if any(address in network for network in allowed):
        return True
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOT_PUBLIC)
    )


def _embedded_ipv4(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
