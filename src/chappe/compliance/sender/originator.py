"""What a message comes from: the mailbox, number or name in its `from`, and what sort of sender that is."""

from __future__ import annotations

import datetime
import re
from enum import StrEnum

from chappe.compliance.sender.profile import Registration, SenderProfile
from chappe.model.customer import Channel, CustomerMessage, Purpose
from chappe.model.jurisdictions import lineage

_NOT_DIGITS = re.compile(r"[\s().-]+")
_SHORT_CODE_DIGITS_MAX = 8
_TOLL_FREE_AREAS = ("800", "833", "844", "855", "866", "877", "888")
_NANP_DIGITS = 11


class SenderType(StrEnum):
    """The sorts of sender that carriers tell apart."""

    ALPHANUMERIC = "alphanumeric"
    SHORT_CODE = "short_code"
    TOLL_FREE = "toll_free"
    LONG_CODE = "long_code"
    """An ordinary number; in the United States, one that needs a 10DLC campaign."""


def sender_type(sender: str) -> SenderType:
    """What sort of sender a number or name is."""
    digits = _NOT_DIGITS.sub("", sender).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return SenderType.ALPHANUMERIC
    if len(digits) <= _SHORT_CODE_DIGITS_MAX and not sender.startswith("+"):
        return SenderType.SHORT_CODE
    national = digits[1:] if len(digits) == _NANP_DIGITS and digits.startswith("1") else digits
    if len(national) == _NANP_DIGITS - 1 and national.startswith(_TOLL_FREE_AREAS):
        return SenderType.TOLL_FREE
    return SenderType.LONG_CODE


def originator(message: CustomerMessage, profile: SenderProfile, jurisdiction: str | None, now_ms: int) -> str | None:
    """What the message comes from: its own `from`, or what is registered for such messages where the recipient is, or
    the profile's usual one. None where only the provider knows.
    """
    if message.sender is not None:
        return message.sender
    if message.channel in (Channel.SMS, Channel.VOICE) and profile.registrations:
        places = lineage(jurisdiction)
        for entry in profile.registrations:
            if entry.id and entry.country in places and entry.purposes and is_good_for(entry, message.purpose, now_ms):
                return entry.id
    if message.channel is Channel.EMAIL:
        return profile.email_from
    if message.channel is Channel.SMS:
        return profile.sms_from
    return profile.voice_from if message.channel is Channel.VOICE else None


def is_good_for(entry: Registration, purpose: Purpose, now_ms: int, valid_years: int | None = None) -> bool:
    """Whether a registration holds now for messages of this purpose. One without an end lasts `valid_years`."""
    if entry.purposes and purpose not in entry.purposes:
        return False
    if entry.since is None and entry.until is None:
        return True
    today = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).date()
    until = entry.until
    if until is None and valid_years is not None and entry.since is not None:
        until = entry.since + datetime.timedelta(days=valid_years * 365)
    return (entry.since is None or entry.since <= today) and (until is None or today < until)
