"""Which columns of a list hold what, and from a row to a record to sort."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from chappe.model.errors import InvalidInput
from chappe.records.registries.addresses import read_address
from chappe.records.registries.layout import (
    CATEGORIES_MAX,
    FOREVER_SECONDS,
    OPERATION_ADD,
    OPERATION_REMOVE,
    TAIL,
    Digest,
    Form,
    address_key,
    number_key,
)
from chappe.records.registries.numbers import NumberReader

CATEGORY_CHARACTERS_MAX = 100
_USUAL_NAMES = {
    Form.NUMBERS: ("number", "phone", "phone_number", "phonenumber", "telephone", "msisdn", "e164", "address"),
    Form.ADDRESSES: ("address", "email", "e-mail", "email_address", "domain"),
    Form.MIXED: ("address", "recipient", "number_or_email"),
}
_REMOVALS = frozenset({"remove", "delete", "d", "r", "-"})
_ADDITIONS = frozenset({"", "add", "a", "+"})
_LETTER_OR_AT = re.compile(r"[^\W\d_]|@")
_POSITION = re.compile(r"[1-9][0-9]{0,2}")


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a list says what: the name of a column, or its position from 1 on, as text.

    `address` may join several columns with "+" (area code and number: "1+2"); without it a column with a usual name is
    taken, or the only one, or the first of a list without a header. With `digest` it holds hexadecimal digests: of
    numbers in E.164 with or without `+`, or as dialled within `region`, and of mail addresses in lower case. `since`
    and `until` are dates by `date_format` (as for `strptime`; by default ISO 8601), days taken from midnight UTC;
    `until` as a day includes that day. `operation` says in a delta what to do with the entry: add (also if empty) or
    remove. `region` is where numbers without a country code are dialled (ISO 3166); without it they begin with the
    country code.
    """

    address: str | None = None
    category: str | None = None
    since: str | None = None
    until: str | None = None
    operation: str | None = None
    date_format: str | None = None
    region: str | None = None
    digest: Digest | None = None

    @property
    def plain(self) -> bool:
        """Whether a list holds nothing but addresses."""
        return self.category is None and self.since is None and self.until is None and self.operation is None


class RecordReader:
    """From rows to records. Raises `InvalidInput` if the list has not the columns."""

    def __init__(self, columns: Columns, names: Sequence[str], form: Form, hash_key: bytes, *, tail: bool) -> None:
        self.categories: dict[str, int] = {}
        self._tail = tail
        self._key = _key_reader(form, columns, hash_key)
        self._address = _places(columns.address or _usual(form, names), names)
        self._category = _place(columns.category, names)
        self._since, self._until = _place(columns.since, names), _place(columns.until, names)
        self._operation = _place(columns.operation, names)
        self._moment = lru_cache(maxsize=4_096)(_moment_reader(columns.date_format))
        self._one_address = self._address[0] if len(self._address) == 1 else None

    def record(self, row: Sequence[str], operation: int) -> bytes:
        """The record of a row; `operation` is for rows that say none. Raises `ValueError`, which says what is wrong."""
        try:
            if self._one_address is not None:
                text = row[self._one_address]
            else:
                text = "".join([row[place].strip() for place in self._address])
            key = self._key(text)
            return key + self._tail_of(row, operation) if self._tail else key
        except IndexError:
            raise ValueError(f"has {len(row)} cells, too few") from None

    def known_categories(self, categories: Sequence[str]) -> None:
        """Give these the first numbers: those of the version that a delta changes."""
        self.categories = {category: number for number, category in enumerate(categories, 1)}

    def _tail_of(self, row: Sequence[str], operation: int) -> bytes:
        if self._operation is not None:
            operation = _operation(row[self._operation].strip().lower(), operation)
        category = 0 if self._category is None else self._category_number(row[self._category].strip())
        since = 0 if self._since is None else self._moment(row[self._since].strip(), False)
        until = 0 if self._until is None else self._moment(row[self._until].strip(), True)
        return TAIL.pack(operation, category, since, until or FOREVER_SECONDS)

    def _category_number(self, category: str) -> int:
        if not category:
            return 0
        number = self.categories.get(category)
        if number is None:
            if len(category) > CATEGORY_CHARACTERS_MAX:
                raise ValueError(f"its category has more than {CATEGORY_CHARACTERS_MAX} characters")
            if len(self.categories) == CATEGORIES_MAX:
                raise ValueError(f"its category is beyond the {CATEGORIES_MAX} that a registry can have")
            number = self.categories[category] = len(self.categories) + 1
        return number


def _key_reader(form: Form, columns: Columns, hash_key: bytes) -> Callable[[str], bytes]:
    if columns.digest is not None:
        return _digest_reader(form, columns.digest, hash_key)
    if form is Form.ADDRESSES:
        return lambda text: address_key(read_address(text), hash_key)
    try:
        number = NumberReader(columns.region).key
    except ValueError as error:
        raise InvalidInput(f"region: {error}.") from None
    if form is Form.NUMBERS:
        return lambda text: number_key(number(text))

    def key(text: str) -> bytes:
        address = read_address(text) if _LETTER_OR_AT.search(text) else f"+{number(text)}"
        return address_key(address, hash_key)

    return key


def _digest_reader(form: Form, digest: Digest, hash_key: bytes) -> Callable[[str], bytes]:
    if form is Form.NUMBERS:
        raise InvalidInput(
            "A registry of the form numbers cannot keep digests; make one of the form mixed (or addresses).",
            digest=digest.value,
        )
    digits = re.compile(f"[0-9a-f]{{{digest.digits}}}", re.ASCII)

    def key(text: str) -> bytes:
        found = text.strip().lower()
        if not digits.fullmatch(found):
            raise ValueError(f"it is not a {digest.value} digest of {digest.digits} hexadecimal digits")
        return address_key(found, hash_key)

    return key


def _usual(form: Form, names: Sequence[str]) -> str:
    if len(names) <= 1:
        return "1"
    for name in _USUAL_NAMES[form]:
        if name in names:
            return name
    raise InvalidInput(
        f"The list has the columns {', '.join(names)}, none with a usual name; say which one to take (address).",
        columns=", ".join(names),
    )


def _places(text: str, names: Sequence[str]) -> tuple[int, ...]:
    if text.strip().lower() in names:
        return (names.index(text.strip().lower()),)
    return tuple(_named_place(part.strip().lower(), names) for part in text.split("+"))


def _place(text: str | None, names: Sequence[str]) -> int | None:
    return None if text is None else _named_place(text.strip().lower(), names)


def _named_place(name: str, names: Sequence[str]) -> int:
    if name in names:
        return names.index(name)
    if _POSITION.fullmatch(name) and (not names or int(name) <= len(names)):
        return int(name) - 1
    known = ", ".join(names) or "no names, so give positions from 1 on"
    raise InvalidInput(f"The list has no column {name!r}; it has {known}.", column=name)


def _operation(word: str, usual: int) -> int:
    if word in _REMOVALS:
        return OPERATION_REMOVE
    if word in _ADDITIONS:
        return OPERATION_ADD if word else usual
    raise ValueError("its operation is neither add nor remove")


def _moment_reader(date_format: str | None) -> Callable[[str, bool], int]:
    def read(text: str, end: bool) -> int:
        if not text:
            return 0
        try:
            moment = datetime.fromisoformat(text) if date_format is None else datetime.strptime(text, date_format)  # noqa: DTZ007 (made aware below)
        except ValueError:
            form = "an ISO 8601 date such as 2026-01-31" if date_format is None else f"of the form {date_format}"
            raise ValueError(f"its date is not {form}") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        is_day = len(text) <= _ISO_DAY_CHARACTERS if date_format is None else "%H" not in date_format
        # A day that is the last one ends with the next.
        seconds = int(moment.timestamp()) + (_DAY_SECONDS if end and is_day else 0)
        if not 0 < seconds < FOREVER_SECONDS:
            raise ValueError("its date lies outside of 1970 to 2105")
        return seconds

    return read


_DAY_SECONDS = 86_400
_ISO_DAY_CHARACTERS = 10
