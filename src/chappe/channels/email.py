"""The e-mail channel: hands messages to an SMTP server (RFC 5321).

A message is taken when the server has answered 250 to its content. If the connection is lost between the
content and that answer, nobody can tell whether it was: the attempt counts as a temporary failure, and the
next one carries the same Message-ID.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiosmtplib

from chappe.channels.base import DeliveryFailure, Outbound, PermanentFailure, Reply, TemporaryFailure
from chappe.channels.mail_message import Mail, compose
from chappe.channels.mailbox import one_line
from chappe.channels.settings import SmtpSettings
from chappe.channels.smtp_pool import SmtpConnection, SmtpPool
from chappe.model.customer import Channel

_REPLY_CHARACTERS = 300
_SERVICE_NOT_AVAILABLE = 421


class _ConnectionEnded(Exception):
    """A reused connection turned out to be closed before anything of this message was said on it."""


class SmtpProvider:
    """Sends through one SMTP server. Safe for concurrent use from one event loop."""

    channels: frozenset[Channel] = SmtpSettings.channels

    def __init__(self, name: str, settings: SmtpSettings, *, wall_clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self._settings = settings
        self._wall_clock = wall_clock
        self._pool = SmtpPool(settings)

    async def send(self, outbound: Outbound) -> Reply:
        mail = compose(outbound, default_sender=self._settings.sender, now_ms=int(self._wall_clock() * 1000))
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                text = await self._deliver(mail)
        except TimeoutError:
            # Covers aiosmtplib's own timeouts, which are TimeoutErrors too.
            raise TemporaryFailure("smtp_timeout", f"no answer within {self._settings.timeout_seconds:g} s") from None
        except aiosmtplib.SMTPResponseException as error:
            # Refusals of the message were made DeliveryFailures where they arose; this is a refusal of us
            # (greeting, EHLO, AUTH), which another provider or a corrected setting can cure.
            raise TemporaryFailure(f"smtp_{error.code}", _reply(error.code, error.message)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise TemporaryFailure("smtp_unreachable", _clip(str(error) or type(error).__name__)) from error
        return Reply(text=text, provider_message_id=mail.message_id)

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _deliver(self, mail: Mail) -> str:
        try:
            async with self._pool.connection() as connection:
                return await _transact(connection, mail)
        except _ConnectionEnded:
            async with self._pool.connection(fresh=True) as connection:
                return await _transact(connection, mail)


async def _transact(connection: SmtpConnection, mail: Mail) -> str:
    """One mail transaction (RFC 5321 section 3.3). Answers the server's reply to the content."""
    smtp = connection.smtp
    encoding = "utf-8" if mail.smtputf8 else "ascii"
    await _begin(connection, mail, encoding)
    connection.messages += 1
    try:
        await smtp.rcpt(mail.envelope_to, encoding=encoding)
    except aiosmtplib.SMTPResponseException as error:
        await _reset(smtp)
        raise _refusal(error, of_recipient=error.code != _SERVICE_NOT_AVAILABLE) from error
    try:
        response = await smtp.data(mail.content)
    except aiosmtplib.SMTPResponseException as error:
        await _reset(smtp)
        raise _refusal(error) from error
    return _reply(response.code, response.message)


async def _begin(connection: SmtpConnection, mail: Mail, encoding: str) -> None:
    """MAIL FROM. Raises `_ConnectionEnded` where a new connection may do better without harm."""
    smtp = connection.smtp
    options = _mail_options(smtp, mail)
    try:
        await smtp.mail(mail.envelope_from, options=options, encoding=encoding)
    except aiosmtplib.SMTPServerDisconnected:
        if connection.fresh:
            raise
        raise _ConnectionEnded from None
    except aiosmtplib.SMTPResponseException as error:
        if error.code == _SERVICE_NOT_AVAILABLE and not connection.fresh:
            raise _ConnectionEnded from None
        await _reset(smtp)
        raise _refusal(error) from error


def _mail_options(smtp: aiosmtplib.SMTP, mail: Mail) -> list[str]:
    options: list[str] = []
    if smtp.supports_extension("size"):
        options.append(f"SIZE={len(mail.content)}")
    if mail.smtputf8:
        if not smtp.supports_extension("smtputf8"):
            raise PermanentFailure(
                "smtputf8_unsupported",
                "the address has characters outside ASCII before the @, which this mail server does not take",
            )
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    return options


async def _reset(smtp: aiosmtplib.SMTP) -> None:
    """Forget the transaction, so that the connection can carry the next one; close it if that fails."""
    try:
        await smtp.rset()
    except (aiosmtplib.SMTPException, OSError):
        smtp.close()


def _refusal(error: aiosmtplib.SMTPResponseException, *, of_recipient: bool = False) -> DeliveryFailure:
    code, reply = f"smtp_{error.code}", _reply(error.code, error.message)
    if 500 <= error.code < 600:
        return PermanentFailure(code, reply)
    return TemporaryFailure(code, reply, of_recipient=of_recipient)


def _reply(code: int, message: str) -> str:
    return _clip(f"{code} {message}")


def _clip(text: str) -> str:
    return one_line(text.encode("utf-8", "replace").decode("utf-8"))[:_REPLY_CHARACTERS]
