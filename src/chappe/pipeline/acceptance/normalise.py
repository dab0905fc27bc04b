"""Requests checked and made canonical, so that one person is known by one address.

E-mail addresses through email-validator (the domain in lower case), telephone numbers through phonenumbers (E.164),
URLs with the host in lower case and no port where it is the scheme's own (RFC 3986 section 6.2). Whether an address
exists is for the provider to find out: nothing here performs I/O.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import idna
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from chappe.channels.mailbox import InvalidMailbox, parse_mailbox
from chappe.model.customer import Channel, Content, CustomerMessage, Recipient
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.request import MessageRequest

URL_CHARACTERS_MAX = 2_048
USER_CHARACTERS_MAX = 256
SUBJECT_CHARACTERS_MAX = 998
DATA_DEPTH_MAX = 32
SCHEDULE_AHEAD_MAX_MS = 366 * 86_400_000

_CHANNEL_OF_KIND = {
    "email": Channel.EMAIL,
    "phone": Channel.SMS,
    "url": Channel.WEBHOOK,
    "user": Channel.IN_APP,
}
_KINDS_OF_CHANNEL = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("phone",),
    Channel.VOICE: ("phone",),
    Channel.WEBHOOK: ("url",),
    Channel.PUSH: ("user",),
    Channel.IN_APP: ("user",),
    Channel.SANDBOX: ("email", "phone", "url", "user"),
}
_CONTENT_OF_CHANNEL = {
    Channel.EMAIL: ("text", "html"),
    Channel.SMS: ("text",),
    Channel.VOICE: ("text",),
}
_ANY_CONTENT = ("subject", "text", "html", "data")
_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]{1,64}(\.[A-Za-z0-9_+-]{1,64}){0,4}", re.ASCII)
_PLAIN_EMAIL_CHARACTERS_MAX = 64
"""Below every limit of length, for the local part as for the whole."""
_DEFAULT_PORTS = {"https": 443, "http": 80}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_URL = re.compile(r"[\s\x00-\x1f\x7f\\]")


def normalise(request: MessageRequest, *, message_id: str, now_ms: int) -> CustomerMessage:
    """The message that a request asks for.

    Raises `InvalidInput` with `pointer`, the JSON pointer of what is wrong.
    """
    kind, to = normalise_recipient(request.to)
    channel = channel_of(request.channel, kind)
    _check_content(request.content, channel)
    send_at_ms, expires_at_ms = _schedule(request, now_ms)
    return CustomerMessage(
        id=message_id,
        to=to,
        channel=channel,
        purpose=request.purpose,
        content=request.content,
        created_at_ms=now_ms,
        sender=_sender(request.sender, channel),
        send_at_ms=send_at_ms,
        expires_at_ms=expires_at_ms,
        metadata=request.metadata or None,
        category=request.category,
        template=request.template,
        event=request.event,
        language=request.language,
    )


def normalise_recipient(to: Recipient, *, pointer: str = "/to") -> tuple[str, Recipient]:
    """The kind of address and the recipient in canonical form. Raises `InvalidInput`."""
    given = [kind for kind in _CHANNEL_OF_KIND if getattr(to, kind) is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "none"
        raise _invalid(f"give exactly one of email, phone, url and user (found {found})", pointer)
    kind = given[0]
    try:
        return kind, Recipient(**{kind: _NORMALISERS[kind](getattr(to, kind))})
    except ValueError as error:
        raise _invalid(f"{kind}: {error}", f"{pointer}/{kind}") from None


def _email(text: str) -> str:
    local_part, _, domain = text.rpartition("@")
    # Domains repeat and plain local parts need no work, so for nearly all addresses the library looks at neither.
    if len(text) <= _PLAIN_EMAIL_CHARACTERS_MAX and _PLAIN_LOCAL_PART.fullmatch(local_part):
        return f"{local_part}@{_domain(domain)}"
    return _validated_email(text)


@lru_cache(maxsize=16_384)
def _domain(domain: str) -> str:
    return _validated_email("a@" + domain).removeprefix("a@")


def _validated_email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


@lru_cache(maxsize=16_384)
def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:
        raise ValueError(_why_no_number(text, error.error_type)) from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("the number has too many or too few digits for its country")
    if number.extension:
        raise ValueError("a number with an extension cannot be reached")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _why_no_number(text: str, error_type: int) -> str:
    if not text.lstrip().startswith("+"):
        return "a number begins with + and the country code, such as +12025550143"
    if error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return "there is no such country code"
    return "this is not a telephone number; one looks like +12025550143"


def _url(text: str) -> str:
    if len(text) > URL_CHARACTERS_MAX:
        raise ValueError(f"a URL has at most {URL_CHARACTERS_MAX} characters")
    if _NOT_IN_URL.search(text):
        raise ValueError("a URL holds no spaces, backslashes or control characters")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https"):
        raise ValueError("the URL must begin with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL with a user name or password is refused; receivers can verify the signature instead")
    port = parts.port  # raises ValueError when out of range
    host = _host(parts.hostname)
    place = host if port is None or port == _DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"
    return parts._replace(netloc=place, path=parts.path or "/", fragment="").geturl()


@lru_cache(maxsize=4_096)
def _host(host: str | None) -> str:
    host = (host or "").rstrip(".")
    if not host:
        raise ValueError("the URL names no host")
    if ":" in host:
        return f"[{_ipv6(host)}]"
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{host!r} is not a domain name: {error}") from None


def _ipv6(host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ipaddress.AddressValueError as error:
        raise ValueError(f"{host!r} is no IPv6 address: {error}") from None


def _user(text: str) -> str:
    if not text.strip() or len(text) > USER_CHARACTERS_MAX or _CONTROL.search(text):
        raise ValueError(f"a user has 1 to {USER_CHARACTERS_MAX} characters and no control characters")
    return text


_NORMALISERS: dict[str, Callable[[str], str]] = {"email": _email, "phone": _phone, "url": _url, "user": _user}


def channel_of(asked: Channel | None, kind: str) -> Channel:
    """The channel for a kind of address: as asked, or the usual one. Raises `InvalidInput`."""
    if asked is None:
        return _CHANNEL_OF_KIND[kind]
    if kind not in _KINDS_OF_CHANNEL[asked]:
        wanted = " or ".join(_KINDS_OF_CHANNEL[asked])
        raise _invalid(f"the channel {asked} needs a recipient with {wanted}, not {kind}", "/channel")
    return asked


def _check_content(content: Content, channel: Channel) -> None:
    wanted = _CONTENT_OF_CHANNEL.get(channel, _ANY_CONTENT)
    if all(_says_nothing(getattr(content, part)) for part in wanted):
        raise _invalid(f"a message by {channel} needs {' or '.join(wanted)}", "/content")
    if content.subject is not None:
        if len(content.subject) > SUBJECT_CHARACTERS_MAX:
            raise _invalid(f"a subject has at most {SUBJECT_CHARACTERS_MAX} characters", "/content/subject")
        if _CONTROL.search(content.subject):
            raise _invalid("a subject is one line without control characters", "/content/subject")
    if content.data is not None and _deeper_than(content.data, DATA_DEPTH_MAX):
        raise _invalid(f"data is nested more than {DATA_DEPTH_MAX} levels deep", "/content/data")


def _says_nothing(part: str | dict[str, Any] | None) -> bool:
    return part is None or (isinstance(part, str) and not part.strip())


def _deeper_than(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_deeper_than(inner, levels - 1) for inner in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_deeper_than(inner, levels - 1) for inner in value)
    return False


def _sender(sender: str | None, channel: Channel) -> str | None:
    if sender is None:
        return None
    if _CONTROL.search(sender):
        raise _invalid("from: control characters are not allowed", "/from")
    if channel is Channel.EMAIL:
        try:
            parse_mailbox(sender)
        except InvalidMailbox as error:
            raise _invalid(f"from: {error}", "/from") from None
    return sender


def _schedule(request: MessageRequest, now_ms: int) -> tuple[int | None, int | None]:
    send_at_ms = moment_ms(request.send_at)
    expires_at_ms = moment_ms(request.expires_at)
    if send_at_ms is not None and send_at_ms > now_ms + SCHEDULE_AHEAD_MAX_MS:
        raise _invalid("send_at lies more than 366 days ahead", "/send_at")
    if expires_at_ms is not None:
        if expires_at_ms <= now_ms:
            raise _invalid("expires_at has passed already", "/expires_at")
        if send_at_ms is not None and expires_at_ms <= send_at_ms:
            raise _invalid("expires_at must be later than send_at", "/expires_at")
    return send_at_ms, expires_at_ms


def moment_ms(moment: datetime | None) -> int | None:
    """Milliseconds since the epoch of an aware datetime; None stays None."""
    return None if moment is None else int(moment.timestamp() * 1000)


def _invalid(message: str, pointer: str) -> InvalidInput:
    return InvalidInput(message, pointer=pointer)
