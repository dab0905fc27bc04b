"""Which particulars of its sender a message shows, and how those that it lacks are added.

Used by every kind of rule that asks who sends: sender_identity, postal_address, label.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from chappe.compliance.content.opt_out_means import has_one_click, means_of, states
from chappe.compliance.content.shown import Shown, folded_words, only_letters
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.sender.originator import originator
from chappe.model.customer import Channel, CustomerMessage


class Particular(StrEnum):
    """Something that tells who sends."""

    NAME = "name"
    BUSINESS_NAME = "business_name"
    BUSINESS_NUMBER = "business_number"
    POSTAL_ADDRESS = "postal_address"
    PHONE = "phone"
    EMAIL = "email"
    WEBSITE = "website"
    OPT_OUT_ADDRESS = "opt_out_address"
    """An address at which messages can be refused: met by any way to opt out."""


Asked = Particular | tuple[Particular, ...]
"""A particular, or several of which one will do."""

_SETTINGS = {Particular.BUSINESS_NAME: "legal_name", Particular.OPT_OUT_ADDRESS: "unsubscribe"}


def alternatives(asked: Asked) -> tuple[Particular, ...]:
    """The particulars of which one will do."""
    return (asked,) if isinstance(asked, Particular) else asked


def value_of(particular: Particular, facts: Facts) -> str | None:
    """How the sender's profile states a particular."""
    if particular is Particular.OPT_OUT_ADDRESS:
        return None
    value: str | None = getattr(facts.sender, particular.value)
    return value


def shows(particular: Particular, seen: Shown, message: CustomerMessage, facts: Facts, now_ms: int) -> bool:
    """Whether the message shows it already: in its body, or, for names, in what it comes from."""
    if particular is Particular.OPT_OUT_ADDRESS:
        return has_one_click(facts, message) or states(seen, means_of(facts, message))
    if particular in (Particular.NAME, Particular.BUSINESS_NAME):
        name, business_name = facts.sender.name, facts.sender.business_name
        if (name and seen.says(name)) or (business_name and business_name != name and seen.says(business_name)):
            return True
        origin = _name_of_origin(message, facts, now_ms) if business_name else None
        return origin is not None and any(folded_words(known) == origin for known in (name, business_name) if known)
    value = value_of(particular, facts)
    return value is not None and (seen.says(value) or _says_address(seen, value))


def lacking(
    asked: Iterable[Asked], seen: Shown, message: CustomerMessage, facts: Facts, now_ms: int
) -> tuple[Asked, ...]:
    """Those of which the message shows none of the alternatives."""
    missing = []
    for entry in asked:
        for one in alternatives(entry):
            if shows(one, seen, message, facts, now_ms):
                break
        else:
            missing.append(entry)
    return tuple(missing)


def line_of(asked: Iterable[Asked], facts: Facts) -> str | None:
    """One line that shows them all, as far as they are not ways to opt out; None if the profile lacks one."""
    parts: list[str] = []
    for entry in asked:
        value = next((value for one in alternatives(entry) if (value := value_of(one, facts))), None)
        if value is None:
            return None
        parts.append(value)
    return ", ".join(dict.fromkeys(parts))


def unstated(asked: Iterable[Asked], facts: Facts) -> str:
    """The settings that would supply what the profile lacks."""
    missing = [entry for entry in asked if not any(value_of(one, facts) for one in alternatives(entry))]
    return ", ".join(" or ".join(_SETTINGS.get(one, one.value) for one in alternatives(entry)) for entry in missing)


@lru_cache(maxsize=1_024)
def in_words(asked: tuple[Asked, ...]) -> str:
    """For a reason: `name, phone or email`."""
    return ", ".join(" or ".join(one.value.replace("_", " ") for one in alternatives(entry)) for entry in asked)


def holds_for(days: int | None, facts: Facts, now_ms: int) -> bool:
    """Whether the particulars go on holding for so many days, as far as is known."""
    until = facts.sender.valid_until
    if until is None:
        return True
    today = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).date()
    return today + datetime.timedelta(days=days or 0) <= until


def _name_of_origin(message: CustomerMessage, facts: Facts, now_ms: int) -> str | None:
    """The name that recipients see the message come from, for comparing."""
    if message.channel not in (Channel.EMAIL, Channel.SMS):
        return None
    sender = originator(message, facts.sender, facts.jurisdiction, now_ms)
    if sender is None:
        return None
    shown_name = sender.partition("<")[0] if message.channel is Channel.EMAIL and "<" in sender else sender
    return folded_words(shown_name.strip().strip('"'))


def _says_address(seen: Shown, value: str) -> bool:
    """An address or number set in lines, or with other punctuation."""
    wanted = only_letters(value)
    return bool(wanted) and bool(seen.bodies) and all(wanted in letters for letters in seen.letters_of_bodies)
