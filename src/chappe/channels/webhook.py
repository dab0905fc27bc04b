"""The webhook channel: POSTs messages as JSON, signed by the Standard Webhooks specification.

The URL comes from a client of the API, so it is not trusted: only public addresses are called
(`guarded_connect`), no redirect is followed, and little of the response is read. Uses httpcore, the
transport under httpx, because it takes the guard through its public interface, and because it heeds no
proxy settings of the environment that would go around the guard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx
import msgspec

from chappe import __version__
from chappe.channels.base import DeliveryFailure, Outbound, PermanentFailure, Reply, TemporaryFailure
from chappe.channels.guarded_connect import AddressRefused, GuardedBackend, NameNotFound
from chappe.channels.mailbox import one_line
from chappe.channels.public_address import parse_networks
from chappe.channels.settings import Secret, WebhookSettings
from chappe.channels.webhook_keys import WebhookKeys
from chappe.channels.webhook_signing import signature_headers
from chappe.model.customer import Channel

_REPLY_CHARACTERS = 200
_TEMPORARY_STATUSES = frozenset({408, 425, 429})
_MAX_RETRY_AFTER_MS = 86_400_000


class WebhookProvider:
    """Sends to any URL the guard permits. Safe for concurrent use from one event loop."""

    channels: frozenset[Channel] = WebhookSettings.channels

    def __init__(
        self,
        name: str,
        settings: WebhookSettings,
        *,
        fallback_secret: Secret,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._settings = settings
        self._keys = WebhookKeys(settings, fallback_secret)
        self._wall_clock = wall_clock
        tls_context = httpx.create_ssl_context()
        if settings.ca_file:
            tls_context.load_verify_locations(cafile=settings.ca_file)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context,
            max_connections=settings.max_connections,
            keepalive_expiry=settings.idle_seconds,
            network_backend=GuardedBackend(parse_networks(settings.allowed_networks)),
        )

    async def send(self, outbound: Outbound) -> Reply:
        url = _checked_url(outbound.to.url or "", allow_http=self._settings.allow_http)
        body = payload(outbound)
        now_ms = int(self._wall_clock() * 1000)
        signed = signature_headers(outbound.message_id, body, keys=self._keys.for_url(url), now_ms=now_ms)
        headers: dict[bytes | str, bytes | str] = {
            "host": url.netloc,
            "user-agent": f"chappe/{__version__}",
            "content-type": "application/json",
            "accept": "*/*",
            "content-length": str(len(body)),
        }
        headers.update(signed.items())
        status, response_headers, text = await self._post(url, headers, body)
        reply = one_line(f"{status} {text}")[:_REPLY_CHARACTERS]
        if 200 <= status < 300:
            return Reply(text=reply)
        raise self._failure(status, response_headers, reply)

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _post(
        self, url: httpx.URL, headers: Mapping[bytes | str, bytes | str], body: bytes
    ) -> tuple[int, dict[bytes, bytes], str]:
        seconds = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                async with self._pool.stream(
                    "POST",
                    _core_url(url),
                    headers=headers,
                    content=body,
                    extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)},
                ) as response:
                    text = await self._read(response)
                    return response.status, {k.lower(): v for k, v in response.headers}, text
        except AddressRefused as error:
            raise PermanentFailure("address_refused", f"{error}; see allowed_networks in the settings") from error
        except NameNotFound as error:
            raise TemporaryFailure("host_not_found", str(error)) from error
        except (TimeoutError, httpcore.TimeoutException):
            raise TemporaryFailure("webhook_timeout", f"no answer within {seconds:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            reason = one_line(str(error))[:_REPLY_CHARACTERS] or type(error).__name__
            raise TemporaryFailure("webhook_unreachable", reason) from error

    async def _read(self, response: httpcore.Response) -> str:
        # Leaving before the end closes the connection, so a receiver cannot keep us reading.
        data = bytearray()
        async for chunk in response.aiter_stream():
            data += chunk
            if len(data) > self._settings.response_bytes:
                break
        return data[: self._settings.response_bytes].decode("utf-8", "replace")

    def _failure(self, status: int, headers: dict[bytes, bytes], reply: str) -> DeliveryFailure:
        code = f"http_{status}"
        if status in _TEMPORARY_STATUSES or status >= 500:
            now_ms = int(self._wall_clock() * 1000)
            return TemporaryFailure(code, reply, retry_after_ms=parse_retry_after(headers.get(b"retry-after"), now_ms))
        if 300 <= status < 400:
            return PermanentFailure(code, f"{status}: redirects are not followed; give the final URL")
        return PermanentFailure(code, reply)


def payload(outbound: Outbound) -> bytes:
    """The JSON that is posted. It is the same at every attempt, and so is `webhook-id`."""
    document: dict[str, Any] = {
        "id": outbound.message_id,
        "type": "message",
        "created_at": _timestamp(outbound.created_at_ms),
        "to": outbound.to,
        "purpose": outbound.purpose,
        "content": outbound.content,
    }
    if outbound.sender is not None:
        document["from"] = outbound.sender
    if outbound.metadata:
        document["metadata"] = outbound.metadata
    if outbound.unsubscribe_url is not None:
        document["unsubscribe_url"] = outbound.unsubscribe_url
    return msgspec.json.encode(document)


def parse_retry_after(value: bytes | None, now_ms: int) -> int | None:
    """Read Retry-After (RFC 9110 section 10.2.3), seconds or a date, as at most a day; nonsense is None."""
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        # A number of many digits is a day, too, without being converted.
        wait_ms = int(text) * 1000 if len(text) < 10 else _MAX_RETRY_AFTER_MS
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait_ms = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000) - now_ms
    return min(max(wait_ms, 0), _MAX_RETRY_AFTER_MS)


def _checked_url(text: str, *, allow_http: bool) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise PermanentFailure("url_invalid", f"the URL cannot be read: {error}") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise PermanentFailure("url_invalid", "the URL must start with https:// and name a host")
    if url.scheme == "http" and not allow_http:
        raise PermanentFailure("https_required", "the URL must start with https://; see allow_http in the settings")
    if url.port is not None and not 0 < url.port < 65536:
        raise PermanentFailure("url_invalid", "the URL's port must be from 1 to 65535")
    if url.userinfo:
        raise PermanentFailure("url_invalid", "the URL must not contain a user name or password")
    return url


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _timestamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
