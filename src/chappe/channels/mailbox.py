"""Mailboxes: an address of a mail system, perhaps with a display name (RFC 5322 section 3.4, RFC 6531)."""

from __future__ import annotations

import re

import idna
import msgspec

_WITH_NAME = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ATOM_BREAKERS = re.compile(r'[\s<>()\[\],;:\\"@]')
_DOMAIN_LITERAL = re.compile(r"\[(?:IPv6:)?[0-9A-Fa-f.:]+\]")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\s]|[ ]|\\[ -~])*"')


class InvalidMailbox(ValueError):
    """The text is not one mailbox. The message says why and is fit for the sender of the mail."""


class Mailbox(msgspec.Struct, frozen=True):
    """`domain` is in its ASCII form (A-labels); `local_part` may hold any characters (RFC 6531)."""

    name: str
    local_part: str
    domain: str

    @property
    def address(self) -> str:
        """`local@domain`, as it stands in an SMTP command."""
        return f"{self.local_part}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the server must speak SMTPUTF8 (RFC 6531) to take it."""
        return not self.local_part.isascii()


def parse_mailbox(text: str) -> Mailbox:
    """Read `Name <local@domain>` or `local@domain`. Raises `InvalidMailbox`.

    Nothing that could end a header line or an SMTP command gets through: control characters and line
    separators are refused in addresses and names alike.
    """
    if _CONTROL.search(text):
        raise InvalidMailbox("a mailbox contains a control character or line break")
    match = _WITH_NAME.fullmatch(text.strip())
    name, address = (match["name"], match["address"]) if match else ("", text)
    local_part, at, domain = address.strip().rpartition("@")
    if not at or not local_part or not domain:
        raise InvalidMailbox(f"{address.strip()!r} is not an address of the form local@domain")
    _check_local_part(local_part)
    return Mailbox(_unquote(name.strip()), local_part, _ascii_domain(domain))


def one_line(text: str) -> str:
    """The text with each run of control characters and line separators made one space: fit for a header."""
    return _CONTROL.sub(" ", text).strip()


def _check_local_part(local_part: str) -> None:
    if len(local_part.encode()) > 64:
        raise InvalidMailbox("the part before the @ is longer than 64 bytes")
    if _QUOTED_LOCAL.fullmatch(local_part):
        return
    if _ATOM_BREAKERS.search(local_part) or ".." in local_part or local_part[0] == "." or local_part[-1] == ".":
        raise InvalidMailbox(f"{local_part!r} cannot stand before the @ of an address")


def _ascii_domain(domain: str) -> str:
    if _DOMAIN_LITERAL.fullmatch(domain):
        return domain
    try:
        return idna.encode(domain.rstrip("."), uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise InvalidMailbox(f"{domain!r} is not a domain name: {error}") from None


def _unquote(name: str) -> str:
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name
