"""Connections to one SMTP server, opened when needed, used again and bounded in number."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable

import aiosmtplib

from chappe.channels.base import DeliveryFailure
from chappe.channels.settings import SmtpSettings


class SmtpConnection:
    """A connection with what decides whether it is used again. `fresh` until its first message was sent."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.smtp = smtp
        self.messages = 0
        self.idle_since = 0.0

    @property
    def fresh(self) -> bool:
        """Whether it has carried nothing yet, so that a failure is none of an idle connection that was closed."""
        return self.messages == 0


class SmtpPool:
    """Lends connections.

    One comes back into use after success and after a `DeliveryFailure`, which says that the dialogue ended
    in order; after any other exception its state is unknown and it is closed.
    """

    def __init__(self, settings: SmtpSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._slots = asyncio.Semaphore(settings.max_connections)
        self._idle: list[SmtpConnection] = []
        self._tls_context = _tls_context(settings)
        self._closed = False

    @contextlib.asynccontextmanager
    async def connection(self, *, fresh: bool = False) -> AsyncIterator[SmtpConnection]:
        """Lend a connection, waiting while all are lent. With `fresh` it is a new one.

        Raises what `aiosmtplib` raises on connecting: `SMTPException`s and `OSError`s.
        """
        async with self._slots:
            connection = None if fresh else self._take_idle()
            if connection is None:
                connection = await self._open()
            try:
                yield connection
            except DeliveryFailure:
                await self._give_back(connection)
                raise
            except BaseException:
                connection.smtp.close()
                raise
            await self._give_back(connection)

    async def aclose(self) -> None:
        """Say goodbye on idle connections; those that are lent are closed when they come back."""
        self._closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_quit(connection) for connection in idle))

    def _take_idle(self) -> SmtpConnection | None:
        # The newest first: the others can then reach their idle time.
        oldest_useful = self._monotonic() - self._settings.idle_seconds
        while self._idle:
            connection = self._idle.pop()
            if connection.smtp.is_connected and connection.idle_since >= oldest_useful:
                return connection
            connection.smtp.close()
        return None

    async def _give_back(self, connection: SmtpConnection) -> None:
        if not connection.smtp.is_connected:
            return
        if self._closed or connection.messages >= self._settings.messages_per_connection:
            await _quit(connection)
            return
        connection.idle_since = self._monotonic()
        self._close_stale(connection.idle_since)
        self._idle.append(connection)

    def _close_stale(self, now: float) -> None:
        stale = [c for c in self._idle if c.idle_since < now - self._settings.idle_seconds]
        for connection in stale:
            self._idle.remove(connection)
            connection.smtp.close()

    async def _open(self) -> SmtpConnection:
        settings = self._settings
        smtp = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.effective_port,
            username=settings.username,
            password=settings.password.reveal() if settings.password else None,
            local_hostname=settings.local_hostname,
            timeout=settings.timeout_seconds,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls_context,
        )
        await smtp.connect()
        try:
            await _greet(smtp)
        except BaseException:
            smtp.close()
            raise
        return SmtpConnection(smtp)


async def _greet(smtp: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO for a server that knows no better, unless TLS or AUTH has already seen to it."""
    if not smtp.is_ehlo_or_helo_needed:
        return
    try:
        await smtp.ehlo()
    except aiosmtplib.SMTPHeloError:
        await smtp.helo()


async def _quit(connection: SmtpConnection) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await connection.smtp.quit(timeout=1.0)
    connection.smtp.close()


def _tls_context(settings: SmtpSettings) -> ssl.SSLContext | None:
    if settings.security == "none":
        return None
    context = ssl.create_default_context()
    if settings.ca_file:
        context.load_verify_locations(cafile=settings.ca_file)
    return context
