"""Who may speak to a server that asks for no credentials: programs of this machine, and no web page from elsewhere.

A browser lets any page send simple requests to a loopback address (Fetch Standard, "CORS-safelisted"), and a name that
its owner points at 127.0.0.1 makes their answers readable as well (DNS rebinding). What the browser says of itself
gives both away: `Host` (RFC 9110, 7.2), `Origin` (RFC 6454) and `Sec-Fetch-Site` (Fetch Metadata Request Headers).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from chappe.channels.public_address import LOOPBACK_NAMES, is_loopback


def objection(fields: Mapping[bytes, bytes], *, for_aws: bool) -> str | None:
    """Why an open server does not serve this request, or None if it does.

    Of requests without an `Origin` only those of the AWS APIs must not come from another site: there a GET can change
    something, while links of other sites to pages of the REST API (unsubscribing) must work.
    """
    host = fields.get(b"host")
    if host is not None and not _is_local(f"//{_text(host)}"):
        return f"With --open only this machine is served; the Host must be localhost or 127.0.0.1, not {_text(host)}."
    origin = fields.get(b"origin")
    if origin is not None and not _is_local(_text(origin)):
        return f"With --open web pages from elsewhere are not served (Origin: {_text(origin)})."
    if for_aws and origin is None and fields.get(b"sec-fetch-site") == b"cross-site":
        return "With --open web pages from elsewhere are not served."
    return None


def _is_local(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in LOOPBACK_NAMES or host.endswith(".localhost") or is_loopback(host)


def _text(value: bytes) -> str:
    return value[:200].decode("ascii", "replace")
