"""From a customer message to the bytes that an SMTP server is given (RFC 5322, RFC 2045-2047, RFC 8058)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, EmailPolicy
from email.utils import format_datetime
from urllib.parse import quote

import msgspec

from chappe.channels.base import Outbound, PermanentFailure
from chappe.channels.mailbox import InvalidMailbox, Mailbox, one_line, parse_mailbox

_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%"
"""What may stand in a URL besides letters and digits (RFC 3986 section 2.2); `%` is of what is encoded."""


class Mail(msgspec.Struct, frozen=True):
    """What the SMTP dialogue needs. `message_id` is the header's value, angle brackets included."""

    envelope_from: str
    envelope_to: str
    smtputf8: bool
    message_id: str
    content: bytes


def compose(outbound: Outbound, *, default_sender: str, now_ms: int) -> Mail:
    """Write the mail. Raises `PermanentFailure` if the message cannot become one.

    The Message-ID depends on the message alone: a mail system that is given one message twice, because its
    first answer was lost, can see that it is the same.
    """
    sender = _mailbox("from", outbound.sender or default_sender)
    recipient = _mailbox("to", outbound.to.email or "")
    smtputf8 = sender.needs_smtputf8 or recipient.needs_smtputf8
    message_id = f"<{outbound.message_id}@{sender.domain}>"

    mail = EmailMessage(policy=_policy(smtputf8))
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms // 1000, UTC))
    mail["Message-ID"] = message_id
    mail["From"] = _header_address(sender)
    mail["To"] = _header_address(recipient)
    if outbound.content.subject:
        mail["Subject"] = one_line(outbound.content.subject)
    if outbound.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{quote(outbound.unsubscribe_url, safe=_URL_CHARACTERS)}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _add_body(mail, outbound)
    return Mail(sender.address, recipient.address, smtputf8, message_id, mail.as_bytes())


def _add_body(mail: EmailMessage, outbound: Outbound) -> None:
    content = outbound.content
    if content.text is not None:
        mail.set_content(content.text)
        if content.html is not None:
            mail.add_alternative(content.html, subtype="html")
    elif content.html is not None:
        mail.set_content(content.html, subtype="html")
    else:
        raise PermanentFailure("content_missing", "an e-mail needs content.text or content.html")


def _mailbox(field: str, text: str) -> Mailbox:
    try:
        return parse_mailbox(text)
    except InvalidMailbox as error:
        raise PermanentFailure("address_invalid", f"{field}: {error}") from None


def _header_address(mailbox: Mailbox) -> Address:
    local_part = mailbox.local_part
    if local_part.startswith('"'):
        local_part = local_part[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return Address(display_name=mailbox.name, username=local_part, domain=mailbox.domain)


class _UnfoldedHeader(UnstructuredHeader):
    """A header that stays on one line: the standard folding would turn a long URL into encoded words."""

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


def _policy(smtputf8: bool) -> EmailPolicy[EmailMessage]:
    return _SMTPUTF8_POLICY if smtputf8 else _SMTP_POLICY


def _registry() -> HeaderRegistry:
    registry = HeaderRegistry()
    # The registry mixes BaseHeader in itself, which its type does not say.
    registry.map_to_type("list-unsubscribe", _UnfoldedHeader)  # type: ignore[arg-type]
    return registry


# Bodies are encoded to seven bits so that no server on the way has to change them, which would break
# signatures.
_SMTP_POLICY = SMTP.clone(cte_type="7bit", header_factory=_registry())
_SMTPUTF8_POLICY = SMTPUTF8.clone(cte_type="7bit", header_factory=_registry())
