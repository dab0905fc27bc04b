"""Query parameters read: names of an enumeration, moments, addresses, yes or no."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from chappe.api.rest.errors import InvalidParameter
from chappe.model.customer import Recipient
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.normalise import moment_ms, normalise_recipient
from chappe.records.recipients import KINDS

_Name = TypeVar("_Name", bound=StrEnum)

# A plus sign in a query stands for a space unless it is written %2B. Where only a plus sign makes sense it is taken for
# one: a number that is not found because of it would pass for one that nobody has suppressed.
_OFFSET_LOST = re.compile(r"(?<=\d) (?=\d\d:\d\d$)")
_NUMBER_LOST = re.compile(r"(?:^|(?<=^phone:)) (?=\d)")
_NUMBER_BARE = re.compile(r"[\d ().-]{7,}")
"""What is more likely a number without its plus sign than a user: it would be found nowhere."""


def one_of(names: type[_Name], query: Mapping[str, str], parameter: str) -> _Name | None:
    """The member of an enumeration that a parameter names. Raises `InvalidParameter`."""
    given = query.get(parameter)
    if given is None:
        return None
    try:
        return names(given)
    except ValueError:
        known = ", ".join(names)
        raise InvalidParameter(f"{parameter} must be one of: {known}.", parameter=parameter) from None


def flag_of(query: Mapping[str, str], parameter: str, *, default: bool) -> bool:
    """Yes or no. Raises `InvalidParameter`."""
    given = query.get(parameter)
    if given is None:
        return default
    if given not in ("true", "false"):
        raise InvalidParameter(f"{parameter} must be true or false.", parameter=parameter)
    return given == "true"


def moment_in(query: Mapping[str, str], parameter: str) -> int | None:
    """The moment that a parameter gives, in ms. Raises `InvalidParameter`."""
    given = query.get(parameter)
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(_OFFSET_LOST.sub("+", given))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InvalidParameter(
            f"{parameter} must be a moment with its offset, such as 2026-03-01T08:00:00Z.", parameter=parameter
        )
    return moment_ms(at)


def address_in(query: Mapping[str, str], parameter: str) -> Recipient | None:
    """The recipient that a parameter gives: an address, or `kind:address`. Raises `InvalidParameter`."""
    given = query.get(parameter)
    if given is None:
        return None
    given = _NUMBER_LOST.sub("+", given)
    kind, colon, address = given.partition(":")
    if not (colon and kind in KINDS):
        kind, address = kind_of(given), given
        if _NUMBER_BARE.fullmatch(given):
            raise InvalidParameter(
                f"{parameter}: a number begins with + and the country code, such as +12025550143; a user is named as "
                "user:12025550143.",
                parameter=parameter,
            )
    try:
        return normalise_recipient(Recipient(**{kind: address}))[1]
    except InvalidInput as error:
        raise InvalidParameter(f"{parameter}: {error.message}", parameter=parameter) from None


def kind_of(address: str) -> str:
    """What an address is by its looks; `user` if it is none that can be told."""
    if "://" in address:
        return "url"
    if address.startswith("+"):
        return "phone"
    return "email" if "@" in address else "user"
