"""What registries of numbers and addresses say of one recipient: do-not-call lists, consent registers and their kin.

Registries are imported and looked up elsewhere; the rules are handed answers. A rule and an import may write the name
of the same registry differently ("TPS/CTPS", "TPS CTPS"), so both are compared by `registry_id`.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

import msgspec


class RegistryKind(StrEnum):
    """What it means to be listed."""

    DO_NOT_CALL = "do_not_call"
    """Who is listed does not want to be called, or written to."""
    POSITIVE = "positive"
    """A register of consents: who is not listed has not agreed."""
    REASSIGNED = "reassigned"
    """Numbers that were given up; `since_ms` of a listing is the permanent disconnect date."""
    RESTRICTED = "restricted"
    """Addresses that the law keeps advertising from, whoever owns them (wireless domains, emergency lines)."""

    @property
    def latest_counts(self) -> bool:
        """Whether of several dates for one entry the latest matters, not the earliest."""
        return self in (RegistryKind.POSITIVE, RegistryKind.REASSIGNED)


class Listing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry for the address. `category` is the register's own word (sector, list, medium), if it keeps any.

    `since_ms` is when it was listed, agreed to or disconnected, as the registry says, with the precision of a second;
    `until_ms` is when the entry ends. Entries that have ended are not among the answers.
    """

    category: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class RegistryAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one registry says of one address.

    `registry` is its `registry_id`. `listed` is None if it has no data: never imported, deleted, or unreadable; then
    `kind` and `as_of_ms` are None as well. `as_of_ms` is the moment whose state the copy in use shows: its age is what
    freshness limits bound. `listings` are the entries, earliest first, at least one if and only if `listed`.
    """

    registry: str
    listed: bool | None
    kind: RegistryKind | None = None
    as_of_ms: int | None = None
    listings: tuple[Listing, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is an answer at all."""
        return self.listed is not None

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories listed under; empty also for an entry that is for all of them."""
        return tuple(listing.category for listing in self.listings if listing.category is not None)

    @property
    def since_ms(self) -> int | None:
        """The earliest moment an entry names."""
        return min((entry.since_ms for entry in self.listings if entry.since_ms is not None), default=None)

    @property
    def latest_ms(self) -> int | None:
        """The latest moment an entry names: for reassigned numbers, the last time the number was given up."""
        return max((entry.since_ms for entry in self.listings if entry.since_ms is not None), default=None)


_OTHER = re.compile(r"[^a-z0-9]+")


def registry_id(name: str) -> str:
    """The id of a registry by its name: lower case, without accents, words joined by hyphens.

    "US National DNC" is `us-national-dnc`, "TPS/CTPS" is `tps-ctps`. Empty if no letter or digit of ASCII is left.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _OTHER.sub("-", plain.lower()).strip("-")
