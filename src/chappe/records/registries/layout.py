"""The file of one version of a registry.

    8 bytes   magic
    8 bytes   length of the header
    header    JSON (`Header`), padded with spaces so that the columns begin at a multiple of eight
    columns   arrays of little-endian integers, one after another, each padded to a multiple of eight

A key is cut into a prefix, shared by many, and a suffix. `prefixes` holds the distinct prefixes in order and `starts`
where the entries of each begin (with the end of the last), so an entry costs little more than its `suffixes`. Addresses
have `checks` beside them, the rest of their hash. `categories`, `since` and `until` are there if any entry has one.
"""

from __future__ import annotations

import hashlib
import struct
from enum import StrEnum

import msgspec

MAGIC = b"CHAPREG1"
PREAMBLE = struct.Struct("<8sQ")
ALIGNMENT_BYTES = 8
LISTINGS_MAX = 2**32 - 1
CATEGORIES_MAX = 1_000


class Form(StrEnum):
    """What a registry lists."""

    NUMBERS = "numbers"
    """Telephone numbers."""
    ADDRESSES = "addresses"
    """E-mail addresses, and domains that stand for every address in them."""
    MIXED = "mixed"
    """Both, kept as addresses are: for registers that list people by whatever they are reached by."""


class Digest(StrEnum):
    """How a list hides whom it names: each entry is the digest of an address, in hexadecimal digits."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"

    @property
    def digits(self) -> int:
        """Of one digest."""
        return hashlib.new(self.value, usedforsecurity=False).digest_size * 2

    def of(self, text: str) -> str:
        """The digest of an address."""
        return hashlib.new(self.value, text.encode(), usedforsecurity=False).hexdigest()


class Column(msgspec.Struct, frozen=True):
    """An array: its name, the type code of its integers (as in `array`), and where it begins after the header."""

    name: str
    typecode: str
    offset_bytes: int
    count: int


class Header(msgspec.Struct, frozen=True):
    """What a file holds. Category 0 means none, n is `categories[n - 1]`. `hash_key` is empty for numbers.

    With `digest` the keys are those of digests, as the list gave them: what is looked up is digested first. Numbers
    without their `country_code` (digits) are among them then.
    """

    form: Form
    listings: int
    categories: tuple[str, ...]
    hash_key: str
    columns: tuple[Column, ...]
    digest: Digest | None = None
    country_code: str = ""


TAIL = struct.Struct(">BHII")
"""What follows the key in a record to sort: operation, category, since and until in seconds since the epoch."""
OPERATION_REMOVE, OPERATION_KEPT, OPERATION_ADD = 0, 1, 2
FOREVER_SECONDS = 2**32 - 1
"""`until` of an entry that does not end."""

_SUFFIX_BITS = 16
_SUFFIX_MASK = (1 << _SUFFIX_BITS) - 1
_NUMBER = struct.Struct(">Q")
_HASH = struct.Struct(">HQQ")


def number_key(number: int) -> bytes:
    """The key of a number. Keys sort as the numbers do."""
    return _NUMBER.pack(number)


def address_key(text: str, hash_key: bytes) -> bytes:
    """The key of an address, of `@` and a domain, or of a number with its `+`; in lower case."""
    return hashlib.blake2b(text.encode(), digest_size=_HASH.size, key=hash_key).digest()


class Shape(msgspec.Struct, frozen=True):
    """How the keys of a form are cut. `packed` are its parts as `struct` reads them from the key."""

    key_bytes: int
    packed: str
    suffix_typecode: str
    has_checks: bool


SHAPES = {
    Form.NUMBERS: Shape(_NUMBER.size, "Q", "H", has_checks=False),
    Form.ADDRESSES: Shape(_HASH.size, "HQQ", "Q", has_checks=True),
    Form.MIXED: Shape(_HASH.size, "HQQ", "Q", has_checks=True),
}


def cut_number(number: int) -> tuple[int, int]:
    """Prefix and suffix."""
    return number >> _SUFFIX_BITS, number & _SUFFIX_MASK


def whole_number(prefix: int, suffix: int) -> int:
    """The number of a prefix and a suffix."""
    return prefix << _SUFFIX_BITS | suffix


def cut_hash(key: bytes) -> tuple[int, int, int]:
    """Prefix, suffix and check of an address's key."""
    return _HASH.unpack(key)


def whole_hash(prefix: int, suffix: int, check: int) -> bytes:
    """The key of these."""
    return _HASH.pack(prefix, suffix, check)
