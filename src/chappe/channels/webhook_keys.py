"""Which secret signs the messages to which URL."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from chappe.channels.settings import Secret, WebhookSettings
from chappe.channels.webhook_signing import decode_secret


class WebhookKeys:
    """The provider's own secret, and those of URL prefixes, of which the longest that matches counts."""

    def __init__(self, settings: WebhookSettings, fallback: Secret) -> None:
        self._default = _keys(settings.secret or fallback, settings.previous_secret)
        endpoints = [
            (httpx.URL(endpoint.url_prefix), _keys(endpoint.secret, endpoint.previous_secret))
            for endpoint in settings.endpoints
        ]
        self._endpoints = sorted(endpoints, key=lambda entry: len(entry[0].path), reverse=True)

    def for_url(self, url: httpx.URL) -> Sequence[bytes]:
        """The keys to sign with, the current one first."""
        for prefix, keys in self._endpoints:
            if _covers(prefix, url):
                return keys
        return self._default


def _covers(prefix: httpx.URL, url: httpx.URL) -> bool:
    """Whether the URL has the prefix's origin, and a path under its path by whole segments."""
    if (prefix.scheme, prefix.host, prefix.port) != (url.scheme, url.host, url.port):
        return False
    path = prefix.path.rstrip("/")
    return url.path == path or url.path.startswith(path + "/")


def _keys(secret: Secret, previous: Secret | None) -> tuple[bytes, ...]:
    return tuple(decode_secret(s.reveal()) for s in (secret, previous) if s is not None)
