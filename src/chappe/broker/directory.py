"""Finding the queue a request names, and what is known of it."""

from __future__ import annotations

import msgspec

from chappe.broker.attributes import QueueAttributes
from chappe.broker.names import QueueName, parse_queue_url
from chappe.engine.base import Engine, QueueSettings
from chappe.model.errors import PermissionDenied, QueueNotFound
from chappe.security.principal import Principal

_REMEMBERED_MAX = 16_384
NOT_FOUND = "The specified queue does not exist."


class Call(msgspec.Struct, frozen=True):
    """Who calls an operation, and the endpoint (`http://host:port`) under which queue URLs are to be told."""

    principal: Principal
    endpoint: str


class FoundQueue(msgspec.Struct, frozen=True):
    name: QueueName
    engine_name: str
    attributes: QueueAttributes
    settings: QueueSettings


class Directory:
    """Resolves queue URLs. Parsed attributes are remembered for as long as the engine gives the same
    settings.

    Queues whose engine names begin with `own_prefix` belong to the server itself. They are measured, received from and
    redriven like others, and listed by their prefix, but their settings are not those of an SQS queue, and emptying one
    would lose messages that were answered for: so no caller creates, changes, empties or deletes one.
    """

    def __init__(self, engine: Engine, own_prefix: str | None = None) -> None:
        self._engine = engine
        self._own_prefix = own_prefix
        self._found: dict[tuple[str | None, str, str], FoundQueue] = {}

    async def find(self, call: Call, queue_url: str | None) -> FoundQueue:
        """Raises `MissingParameter`, `PermissionDenied` or `QueueNotFound`."""
        principal = call.principal
        key = (queue_url, principal.region, principal.account)
        known = self._found.get(key)
        if known is None or (known.name.account != principal.account and not principal.any_account):
            name = self.named(call, queue_url)
            engine_name = name.engine_name
        else:
            name, engine_name = known.name, known.engine_name
        try:
            info = await self._engine.get_queue(engine_name)
        except QueueNotFound:
            self._found.pop(key, None)
            raise QueueNotFound(NOT_FOUND, queue=engine_name) from None
        settings = info.settings
        if known is not None and known.settings is settings:
            return known
        found = FoundQueue(name, engine_name, QueueAttributes.of(settings), settings)
        if len(self._found) >= _REMEMBERED_MAX:
            self._found.clear()
        self._found[key] = found
        return found

    def named(self, call: Call, queue_url: str | None) -> QueueName:
        """The queue named, existing or not, if the caller may use it."""
        principal = call.principal
        name = parse_queue_url(queue_url, principal.region, principal.account)
        check_access(principal, name)
        return name

    def is_own(self, name: QueueName) -> bool:
        """Whether the queue belongs to the server itself."""
        return self.owns(name.engine_name)

    def owns(self, engine_name: str) -> bool:
        """The same for a queue's name in the engine, or the beginning of one."""
        return self._own_prefix is not None and engine_name.startswith(self._own_prefix)

    def check_changeable(self, name: QueueName) -> None:
        """Raises `PermissionDenied` for a queue of the server itself."""
        if self.is_own(name):
            raise PermissionDenied(
                f"Access to the resource {name.arn[:512]} is denied. It belongs to the server, which sends messages"
                " through it: it cannot be created, changed, purged or deleted by a caller.",
                account=name.account,
            )


def check_access(principal: Principal, name: QueueName) -> None:
    if name.account != principal.account and not principal.any_account:
        raise PermissionDenied(f"Access to the resource {name.arn[:512]} is denied.", account=principal.account)
