"""A provider as the pipeline uses it: its slots, its circuits, and one call with a bounded outcome."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import structlog

from chappe.channels.base import DeliveryFailure, Outbound, Provider, Reply, TemporaryFailure
from chappe.model.customer import Channel, CustomerMessage
from chappe.model.errors import NoRoute
from chappe.pipeline.providers.breaker import BreakerPolicy, CircuitBreaker, CircuitState
from chappe.pipeline.providers.gate import Gate

CIRCUITS_KEPT = 10_000
_log = structlog.get_logger("chappe.pipeline")


class Gateway:
    """One provider. `max_concurrent` is the number of attempts under way at once over all lanes.

    A provider that speaks to one server has one circuit. Webhooks go to as many servers as there are receivers, so each
    host has a circuit and a share of the slots: one dead receiver neither cuts off the others nor holds them up.
    """

    def __init__(
        self, provider: Provider, *, max_concurrent: int, timeout_seconds: float, breaker: BreakerPolicy
    ) -> None:
        self.provider = provider
        self.name = provider.name
        self.gate = Gate(max_concurrent)
        self._timeout_seconds = timeout_seconds
        self._policy = breaker
        self._circuits: OrderedDict[str, CircuitBreaker] = OrderedDict()

    @staticmethod
    def destination(message: CustomerMessage) -> str:
        """The host that a webhook goes to; nothing where the provider speaks to one server."""
        if message.channel is Channel.WEBHOOK and message.to.url is not None:
            return urlsplit(message.to.url).netloc
        return ""

    def circuit(self, message: CustomerMessage) -> CircuitBreaker:
        """The circuit this message would go through."""
        name = self.destination(message)
        circuit = self._circuits.get(name)
        if circuit is None:
            circuit = self._circuits[name] = CircuitBreaker(self._policy)
            if len(self._circuits) > CIRCUITS_KEPT:
                self._circuits.popitem(last=False)
        return circuit

    def note(self, message: CustomerMessage, outcome: Reply | DeliveryFailure, now_ms: int) -> None:
        """Let an outcome count for the circuit, and say in the log when that opens or closes it."""
        circuit = self.circuit(message)
        if not isinstance(outcome, TemporaryFailure) or outcome.of_recipient:
            if circuit.succeeded():
                _log.info("circuit_closed", provider=self.name, destination=self.destination(message) or None)
        elif circuit.failed(now_ms):
            _log.warning(
                "circuit_open",
                provider=self.name,
                destination=self.destination(message) or None,
                open_ms=circuit.closed_from_ms(now_ms) - now_ms,
                code=outcome.code,
                reply=outcome.reply,
            )

    def state(self, now_ms: int) -> CircuitState:
        """The worst state among its circuits."""
        states = {circuit.state(now_ms) for circuit in self._circuits.values()}
        order = (CircuitState.OPEN, CircuitState.HALF_OPEN)
        return next((state for state in order if state in states), CircuitState.CLOSED)

    async def send(self, outbound: Outbound) -> Reply | DeliveryFailure:
        """One attempt. Whatever the provider does, the answer is a reply or a failure, in bounded time."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self.provider.send(outbound)
        except DeliveryFailure as failure:
            return failure
        except TimeoutError:
            return TemporaryFailure("provider_timeout", f"no answer within {self._timeout_seconds:g} s")
        except Exception as error:  # noqa: BLE001 (the contract of providers: anything else is a defect)
            _log.exception("provider_defect", provider=self.name, message=outbound.message_id)
            return TemporaryFailure("provider_defect", f"{type(error).__name__} in the provider; see the server's log")


class Routes:
    """Which gateways carry which channel, the preferred one first; those of a region, if it names one."""

    def __init__(self, gateways: Mapping[Channel, Sequence[Gateway]], region: str | None = None) -> None:
        self._region = region
        self._gateways = {channel: tuple(found) for channel, found in gateways.items() if found}

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels that have a route."""
        return frozenset(self._gateways)

    def of(self, channel: Channel) -> tuple[Gateway, ...]:
        """The gateways of a channel. Raises `NoRoute`."""
        try:
            return self._gateways[channel]
        except KeyError:
            raise self._missing(channel) from None

    def _missing(self, channel: Channel) -> NoRoute:
        there = "" if self._region is None else f" for recipients in the region {self._region}"
        setting = "routes" if self._region is None else f"regions.{self._region}"
        return NoRoute(
            f"No provider is configured for the channel {channel}{there}; add one to the configuration "
            f'([providers.NAME], then {setting}.{channel} = ["NAME"]), or use one of: '
            f"{', '.join(sorted(self._gateways)) or 'none yet'}.",
            channel=channel.value,
            pointer="/channel",
        )

    def choose(self, message: CustomerMessage, attempts_made: int, now_ms: int) -> Gateway | None:
        """The gateway for the next attempt: the route in turn, passing over open circuits; None if all are open."""
        route = self.of(message.channel)
        for step in range(len(route)):
            gateway = route[(attempts_made + step) % len(route)]
            if gateway.circuit(message).closed_from_ms(now_ms) <= now_ms:
                return gateway
        return None

    def open_until_ms(self, message: CustomerMessage, now_ms: int) -> int:
        """When the first circuit of the message's route lets an attempt through again."""
        return min(gateway.circuit(message).closed_from_ms(now_ms) for gateway in self.of(message.channel))

    def all(self) -> Iterable[Gateway]:
        """Every gateway once."""
        return {id(gateway): gateway for route in self._gateways.values() for gateway in route}.values()
