"""[server]: where the server listens and keeps its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from chappe.channels.public_address import LOOPBACK_NAMES, is_loopback


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens and keeps its data."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes any free one.")] = 9324
    data: Annotated[
        Path,
        Meta(description="Folder of everything that is kept: queues, records, keys. Made at the first start."),
    ] = Path("chappe-data")
    public_url: Annotated[
        str | None,
        Meta(
            description="Where others reach this server, such as `https://messages.acme.example`. Queue URLs and the "
            "unsubscribe links of promotional messages begin with it. Without it, links name `host` and `port` if "
            "that is a loopback address; otherwise there are none: rules then stop promotional e-mail, and the "
            "server says so when it starts. Without TLS (`http://`) it must be this machine."
        ),
    ] = None
    open: Annotated[
        bool,
        Meta(description="Accept any credentials, for trying things out. Refused unless `host` is a loopback address."),
    ] = False

    shutdown_seconds: Annotated[
        float, Meta(ge=0, description="How long requests under way may take to finish when the server stops.")
    ] = 10.0

    def __post_init__(self) -> None:
        if self.open and not _on_this_machine(self.host):
            raise ValueError(f"open: accepts anyone, so host must be a loopback address, not {self.host}")
        if self.public_url is not None:
            _check_public_url(self.public_url)

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server directly."""
        return _on_this_machine(self.host)

    @property
    def links_url(self) -> str | None:
        """Where links in messages lead: `public_url`, or this server itself if only this machine reaches it."""
        if self.public_url is not None or not _on_this_machine(self.host) or self.port == 0:
            return self.public_url
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def _on_this_machine(host: str) -> bool:
    return host.lower() in LOOPBACK_NAMES or is_loopback(host)


def _check_public_url(text: str) -> None:
    url = urlsplit(text)
    if url.scheme not in ("https", "http") or not url.hostname or url.query or url.fragment or url.username:
        raise ValueError(f"public_url: {text!r} is not of the form https://host[:port][/path]")
    if url.scheme == "http" and not _on_this_machine(url.hostname):
        raise ValueError("public_url: must start with https:// unless it is this machine")
