"""What can be made unreadable in a message before it leaves: numbers and particulars found by pattern.

Patterns are RE2's. Where a pattern alone would take ordinary numbers for somebody's, a check follows: the Luhn digit of
card numbers (ISO/IEC 7812-1), the check digits of account numbers (ISO 13616), the ranges of social security numbers
that were never issued.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from chappe.compliance.content.patterns import compiled, compiled_long
from chappe.compliance.packaged_tables import parse_table
from chappe.model.customer import Amendment, Place

MASK = "•"


class Sensitive(StrEnum):
    """What rules ask to be made unreadable."""

    CARD_NUMBER = "card_number"
    ACCOUNT_NUMBER = "account_number"
    SSN = "ssn"
    NATIONAL_ID = "national_id"
    MRN = "mrn"
    DIAGNOSIS = "diagnosis"
    MEDICATION = "medication"
    TEST_RESULT = "test_result"
    SPECIAL_CATEGORY = "special_category"


NUMBERS = frozenset(
    {Sensitive.CARD_NUMBER, Sensitive.ACCOUNT_NUMBER, Sensitive.SSN, Sensitive.NATIONAL_ID, Sensitive.MRN}
)
"""What a person knows again by its last digits."""


class Redaction(msgspec.Struct, frozen=True):
    """One thing to make unreadable; of numbers, the last `keep_last` digits stay."""

    what: Sensitive
    keep_last: int = 0

    @property
    def amendment(self) -> Amendment:
        """The same for a decision."""
        name = self.what.value
        return Amendment(Place.REDACTION, f"{name}:last{self.keep_last}" if self.keep_last else name)

    @classmethod
    def of(cls, amendment: Amendment) -> Redaction:
        """What an amendment asks. Raises `ValueError` for one that is none."""
        name, _, kept = amendment.text.partition(":last")
        return cls(Sensitive(name), int(kept or 0))


_Check = Callable[[str], bool]


class _Kind(msgspec.Struct, frozen=True):
    """A pattern; its one group is what is masked. `check` tells a real one from what only looks like it."""

    pattern: Any
    check: _Check | None = None
    pieces: bool = False
    """Whether a match is a run of digit groups of which some may be the number."""


def spans(text: str, what: Sensitive) -> Iterator[tuple[int, int]]:
    """Where such a thing stands in a text."""
    for kind in _KINDS[what]:
        for match in kind.pattern.finditer(text):
            start, end = match.span(1)
            if kind.pieces:
                yield from _pieces(text, start, end, kind.check)
            elif kind.check is None or kind.check(text[start:end]):
                yield start, end


@lru_cache(maxsize=256)
def any_sensitive(whats: tuple[Sensitive, ...]) -> Any:
    """One pattern that finds any of these, and more: it lacks the checks that tell real ones."""
    return compiled_long("|".join(f"(?:{kind.pattern.pattern})" for what in whats for kind in _KINDS[what]))


def found(text: str, what: Sensitive) -> bool:
    """Whether there is any."""
    return next(spans(text, what), None) is not None


def redacted(text: str, redactions: Iterable[Redaction]) -> str:
    """The text with what is asked made unreadable. What remains matches none of it any more."""
    for redaction in sorted(redactions, key=lambda entry: entry.keep_last):
        keep_last = redaction.keep_last if redaction.what in NUMBERS else 0
        # What is kept of one may, together with its neighbours, look like another: then nothing is kept.
        while places := sorted(set(spans(text, redaction.what))):
            text = _masked(text, places, keep_last)
            keep_last = 0
    return text


def _masked(text: str, places: list[tuple[int, int]], keep_last: int) -> str:
    parts, done = [], 0
    for start, end in places:
        if end <= done:
            continue
        start = max(start, done)
        parts += [text[done:start], _mask(text[start:end], keep_last)]
        done = end
    return "".join((*parts, text[done:]))


def _mask(text: str, keep_last: int) -> str:
    """Letters and digits become dots; never so few that it stays what it was."""
    kept = min(keep_last, sum(character.isalnum() for character in text) // 2)
    masked = []
    for character in reversed(text):
        if not character.isalnum():
            masked.append(character)
        elif kept > 0:
            kept -= 1
            masked.append(character)
        else:
            masked.append(MASK)
    return "".join(reversed(masked))


_CARD_DIGITS = (13, 19)
_GROUPS = re.compile(r"\d+")


def _pieces(text: str, start: int, end: int, check: _Check | None) -> Iterator[tuple[int, int]]:
    """The runs of neighbouring groups of digits that pass the check, leftmost and longest first."""
    groups = [match.span() for match in _GROUPS.finditer(text, start, end)]
    first = 0
    while first < len(groups):
        last = _last_of_number(text, groups, first, check)
        if last is None:
            first += 1
        else:
            yield groups[first][0], groups[last][1]
            first = last + 1


def _last_of_number(text: str, groups: list[tuple[int, int]], first: int, check: _Check | None) -> int | None:
    """The last group of the longest number that begins with a group, or None if none does."""
    found_at, digits = None, ""
    for last in range(first, len(groups)):
        start, end = groups[last]
        if len(digits) + end - start > _CARD_DIGITS[1]:
            break
        digits += text[start:end]
        if len(digits) >= _CARD_DIGITS[0] and (check is None or check(digits)):
            found_at = last
    return found_at


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1


def _iban(text: str) -> bool:
    plain = "".join(text.split()).upper()
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _issued_ssn(text: str) -> bool:
    area, group, serial = re.split(r"[-\s]", text)
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _dni(text: str) -> bool:
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(text[:8]) % 23] == text[-1].upper()


_CHECKS: dict[str, _Check] = {"luhn": _luhn, "iban": _iban, "issued_ssn": _issued_ssn, "dni": _dni}


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pattern: str
    check: str | None = None
    pieces: bool = False


def _read() -> dict[Sensitive, tuple[_Kind, ...]]:
    text = files("chappe.compliance.content").joinpath("redaction.yaml").read_text(encoding="utf-8")
    table = msgspec.convert(parse_table(text), dict[Sensitive, tuple[_Entry, ...]])
    return {what: tuple(_kind(entry) for entry in entries) for what, entries in table.items()}


def _kind(entry: _Entry) -> _Kind:
    return _Kind(compiled(entry.pattern), _CHECKS[entry.check] if entry.check else None, entry.pieces)


_KINDS = _read()
