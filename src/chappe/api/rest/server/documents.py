"""The documents about the server itself. Moments are RFC 3339 text in UTC."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chappe.model.customer import (
    Channel,
    Content,
    Purpose,
    Recipient,
)
from chappe.pipeline.providers.breaker import CircuitState


class QueueView(msgspec.Struct, frozen=True):
    """A queue and how full it is."""

    name: str
    arn: str
    fifo: bool
    ready: int
    in_flight: int
    delayed: int


class QueuesView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, in order of name. Without `next_cursor` it is the last."""

    queues: list[QueueView]
    next_cursor: str | None = None


class ProviderView(msgspec.Struct, frozen=True):
    """A provider in use. An open circuit: it kept failing, and is left alone for a while."""

    name: str
    channels: tuple[Channel, ...]
    circuit: CircuitState
    attempts_under_way: int
    attempts_max: int


class ProvidersView(msgspec.Struct, frozen=True):
    """The providers of all routes."""

    providers: list[ProviderView]


class SandboxMessageView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message as a sandbox provider took it."""

    taken_at: datetime
    provider: str
    id: str
    to: Recipient
    channel: Channel
    purpose: Purpose
    content: Content
    attempt: int
    sender: str | None = msgspec.field(default=None, name="from")
    metadata: dict[str, str] | None = None
    unsubscribe_url: str | None = None


class SandboxMessagesView(msgspec.Struct, frozen=True):
    """The newest messages that the sandbox providers kept, newest first, and how many they took in all."""

    messages: list[SandboxMessageView]
    taken: int


class HealthView(msgspec.Struct, frozen=True):
    """Whether the server can take messages."""

    status: str
    version: str
