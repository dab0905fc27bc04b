"""The guard against server-side request forgery: connections are opened to permitted addresses only.

The host is resolved once, every address is checked, and the connection is made to an address that passed,
so that a second, different DNS answer (rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence

import httpcore

from chappe.channels.public_address import Address, Network, is_permitted


class AddressRefused(Exception):
    """None of the host's addresses may be called.

    Does not name them: the client must not learn internal DNS.
    """


class NameNotFound(Exception):
    """The host could not be resolved. That may be temporary."""


async def resolve(host: str, port: int) -> list[Address]:
    """All addresses of the host, in the order the system prefers. Raises `NameNotFound`."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NameNotFound(f"the host {host} cannot be resolved") from error
    addresses: list[Address] = []
    for *_, sockaddr in answers:
        address = ipaddress.ip_address(str(sockaddr[0]).partition("%")[0])
        if address not in addresses:
            addresses.append(address)
    return addresses


class GuardedBackend(httpcore.AnyIOBackend):
    """Opens TCP connections for httpcore, to permitted addresses only.

    Raises `AddressRefused` and `NameNotFound` besides httpcore's own errors.
    """

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = allowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        permitted = [a for a in await resolve(host, port) if is_permitted(a, self._allowed)]
        if not permitted:
            raise AddressRefused(f"the host {host} has no public address")
        return await self._first_to_answer(permitted, port, timeout, local_address, socket_options)

    async def _first_to_answer(
        self,
        addresses: Sequence[Address],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        # An address that does not answer must leave time for the others.
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await super().connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await super().connect_tcp(str(addresses[-1]), port, share, local_address, socket_options)
