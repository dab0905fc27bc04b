"""What an operation is handed: the parts of the server, and the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from chappe.api.rest.answers import Answer
from chappe.api.rest.claims import Claims
from chappe.channels.sandbox import SandboxProvider
from chappe.observe.audit.log import AuditLog
from chappe.pipeline.rights.service import Rights
from chappe.pipeline.service import Pipeline
from chappe.records.store import Records
from chappe.security.authenticator import Authenticator
from chappe.security.principal import ApiClient


@dataclass(frozen=True, slots=True)
class Server:
    """The parts that operations work with. `local` says that only programs of this machine can reach the server."""

    pipeline: Pipeline
    records: Records
    audit: AuditLog
    rights: Rights
    authenticator: Authenticator
    claims: Claims
    sandboxes: Sequence[SandboxProvider]
    now_ms: Callable[[], int]
    local: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authenticated. `query` holds only parameters that the operation declares, each once.

    `upload` gives the body of an operation that takes it as it arrives; `body` is empty then.
    """

    server: Server
    client: ApiClient
    headers: Mapping[bytes, bytes]
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    upload: AsyncIterator[bytes]


Handler = Callable[[Call], Awaitable[Answer]]
