"""What can be configured about a provider: one class per `kind` of the configuration's `[providers.NAME]`
tables.

Each setting carries its meaning, unit and bounds as `msgspec.Meta`, from which docs/settings.md is generated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from chappe.channels.mailbox import InvalidMailbox, parse_mailbox
from chappe.channels.public_address import LOOPBACK_NAMES, is_loopback, parse_networks
from chappe.channels.webhook_signing import decode_secret
from chappe.model.customer import Channel


class Secret:
    """A password or key. It shows itself only to `reveal`, so that logs and error pages cannot."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


SmtpSecurity = Literal["starttls", "tls", "none"]
_DEFAULT_SMTP_PORTS: dict[SmtpSecurity, int] = {"starttls": 587, "tls": 465, "none": 25}


class SmtpSettings(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="smtp"):
    """Hands e-mail to an SMTP server."""

    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.EMAIL})

    host: Annotated[str, Meta(min_length=1, description="Name or address of the SMTP server.")]
    sender: Annotated[
        str,
        Meta(description="`From` of messages that name no sender: `Acme <no-reply@acme.example>` or a bare address."),
    ]
    security: Annotated[
        SmtpSecurity,
        Meta(
            description="How the connection is protected: `starttls` (upgraded before anything is "
            "said; a server that does not offer it is refused), `tls` (from the first "
            "byte) or `none`."
        ),
    ] = "starttls"
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(description="Port. Without it 587 (`starttls`), 465 (`tls`) or 25 (`none`)."),
    ] = None
    allow_plain: Annotated[
        bool,
        Meta(
            description='Permits `security = "none"` to a server that is not on this machine. '
            "Messages and the password then cross the network readable by anyone on the "
            "way."
        ),
    ] = False
    username: Annotated[str | None, Meta(description="User name for AUTH. Without it no AUTH is done.")] = None
    password: Annotated[Secret | None, Meta(description="Password for AUTH.")] = None
    ca_file: Annotated[
        Path | None,
        Meta(description="PEM file of further certificate authorities to trust, for a private mail server."),
    ] = None
    local_hostname: Annotated[
        str | None,
        Meta(description="Name given in EHLO. Without it the machine's own fully qualified name."),
    ] = None
    max_connections: Annotated[int, Meta(ge=1, le=1000, description="Most connections to the server at once.")] = 8
    messages_per_connection: Annotated[
        int, Meta(ge=1, description="Messages sent over one connection before it is replaced.")
    ] = 100
    idle_seconds: Annotated[
        float, Meta(ge=0, description="How long an unused connection is kept for the next message.")
    ] = 30.0
    timeout_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Longest one attempt may take, connecting and waiting for a connection included.",
        ),
    ] = 60.0

    def __post_init__(self) -> None:
        try:
            parse_mailbox(self.sender)
        except InvalidMailbox as error:
            raise ValueError(f"sender: {error}") from None
        if self.password is not None and self.username is None:
            raise ValueError("username: is needed with a password")
        if self.username is not None and self.password is None:
            raise ValueError("password: is needed with a username")
        if self.security == "none" and not self.allow_plain and not _on_this_machine(self.host):
            raise ValueError(
                f'security: "none" would send messages readable over the network to {self.host}; '
                'use "starttls" or "tls", or set allow_plain = true if that is meant'
            )

    @property
    def concurrency(self) -> int:
        """How many attempts at once are of use."""
        return self.max_connections

    @property
    def effective_port(self) -> int:
        """The port to connect to: as given, else the usual one of the protection."""
        return self.port or _DEFAULT_SMTP_PORTS[self.security]


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A secret of its own for the URLs under one prefix."""

    url_prefix: Annotated[
        str,
        Meta(
            min_length=1,
            description="Scheme, host, port and leading path segments that a URL must have, such as "
            "`https://hooks.acme.example/orders`.",
        ),
    ]
    secret: Annotated[Secret, Meta(description="Signing secret for these URLs: `whsec_` and base64.")]
    previous_secret: Annotated[
        Secret | None,
        Meta(description="The secret before a change. While it is set, messages are signed with both."),
    ] = None

    def __post_init__(self) -> None:
        _check_secret("secret", self.secret)
        _check_secret("previous_secret", self.previous_secret)


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="webhook"):
    """POSTs messages as JSON, signed by the Standard Webhooks specification."""

    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.WEBHOOK})

    secret: Annotated[
        Secret | None,
        Meta(
            description="Signing secret: `whsec_` and base64 of 24 to 64 bytes. Without it the one "
            "kept in the data folder's `webhook-secret` (made at the first start)."
        ),
    ] = None
    previous_secret: Annotated[
        Secret | None,
        Meta(description="The secret before a change. While it is set, messages are signed with both."),
    ] = None
    endpoints: Annotated[
        tuple[WebhookEndpoint, ...],
        Meta(description="Secrets of their own for some URLs. The longest matching prefix counts."),
    ] = ()
    allow_http: Annotated[
        bool, Meta(description="Permits `http://` URLs. Messages then cross the network readable.")
    ] = False
    allowed_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks that may be called although they are not public, such as "
            "`10.1.0.0/16`. Otherwise private, loopback, link-local, multicast and "
            "reserved addresses are refused."
        ),
    ] = ()
    ca_file: Annotated[
        Path | None,
        Meta(description="PEM file of further certificate authorities to trust, for private receivers."),
    ] = None
    max_connections: Annotated[
        int, Meta(ge=1, le=10_000, description="Most connections at once, over all receivers.")
    ] = 100
    idle_seconds: Annotated[
        float, Meta(ge=0, description="How long an unused connection is kept for the next message.")
    ] = 15.0
    timeout_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Longest one attempt may take, connecting and waiting for a connection included.",
        ),
    ] = 20.0
    response_bytes: Annotated[
        int, Meta(ge=0, le=1_048_576, description="How much of a response is read; the rest is dropped.")
    ] = 16_384

    def __post_init__(self) -> None:
        _check_secret("secret", self.secret)
        _check_secret("previous_secret", self.previous_secret)
        parse_networks(self.allowed_networks)

    @property
    def concurrency(self) -> int:
        """How many attempts at once are of use."""
        return self.max_connections


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="sandbox"):
    """Keeps what it is given instead of sending it: for tests and demonstrations. Serves every channel."""

    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)

    keep: Annotated[int, Meta(ge=0, le=1_000_000, description="How many of the newest messages stay in memory.")] = 1000
    file: Annotated[Path | None, Meta(description="JSON Lines file to which every message taken is appended.")] = None
    delay_ms: Annotated[int, Meta(ge=0, le=600_000, description="Time taken for every message.")] = 0
    slow_delay_ms: Annotated[
        int, Meta(ge=0, le=600_000, description="Time taken for recipients that match `slow`.")
    ] = 2000
    fail_temporary: Annotated[
        tuple[str, ...],
        Meta(
            description="Recipients whose messages fail each time as if trying again might help. Here "
            "and below `*` stands for any characters."
        ),
    ] = ("fail+temporary@*", "*/fail+temporary", "fail+temporary", "+447700900801")
    fail_once: Annotated[
        tuple[str, ...],
        Meta(description="Recipients whose messages fail at the first attempt and are taken at the second."),
    ] = ("fail+once@*", "*/fail+once", "fail+once", "+447700900802")
    fail_permanent: Annotated[
        tuple[str, ...],
        Meta(description="Recipients whose messages are refused for good."),
    ] = ("fail+permanent@*", "*/fail+permanent", "fail+permanent", "+447700900803")
    slow: Annotated[
        tuple[str, ...],
        Meta(description="Recipients whose messages take `slow_delay_ms`."),
    ] = ("slow@*", "*/slow", "slow", "+447700900804")

    @property
    def concurrency(self) -> int:
        """How many attempts at once are of use."""
        return 1000

    @property
    def timeout_seconds(self) -> float:
        """Longest one attempt may take."""
        return max(self.delay_ms, self.slow_delay_ms) / 1000


ProviderSettings = SmtpSettings | WebhookSettings | SandboxSettings
PROVIDER_KINDS: dict[str, type[ProviderSettings]] = {
    "smtp": SmtpSettings,
    "webhook": WebhookSettings,
    "sandbox": SandboxSettings,
}


def _on_this_machine(host: str) -> bool:
    return host.lower().rstrip(".") in LOOPBACK_NAMES or is_loopback(host)


def _check_secret(name: str, secret: Secret | None) -> None:
    if secret is None:
        return
    try:
        decode_secret(secret.reveal())
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
