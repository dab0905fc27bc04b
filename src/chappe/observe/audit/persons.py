"""Keys of persons: what the personal parts of records are encrypted with, AES-256-GCM both for them and for the keys.

A recipient gets a key with the first decision about a message to it. Keys are stored wrapped: encrypted with a key that
is derived from the server's secret and never stored, so the database alone opens nothing. Erasing a person deletes the
stored key, which nothing else can bring back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chappe.model.errors import DataDamaged
from chappe.model.random_bytes import RandomBytes
from chappe.records.person_keys import PersonKey, StoredKey

KEY_BYTES = 32
NONCE_BYTES = 12
REMEMBERED = 20_000
"""Keys that are kept in memory, some 500 bytes each: those of people written to lately."""


_random = RandomBytes()


class Wrapping:
    """Wraps and unwraps keys of persons with `key` (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def new(self, person: int, recipient: str) -> PersonKey:
        """A key that was never used."""
        key, nonce = _random.take(KEY_BYTES), _random.take(NONCE_BYTES)
        wrapped = nonce + self._cipher.encrypt(nonce, key, _name(person))
        return PersonKey(person, recipient, wrapped, key)

    def opened(self, stored: StoredKey) -> PersonKey:
        """A stored key, usable. Raises `DataDamaged` if it was wrapped with another key, or changed."""
        nonce, content = stored.wrapped[:NONCE_BYTES], stored.wrapped[NONCE_BYTES:]
        try:
            key = self._cipher.decrypt(nonce, content, _name(stored.person))
        except (InvalidTag, ValueError) as error:
            raise DataDamaged(
                f"The key of person {stored.person} in the audit log cannot be opened: it was changed, or server-secret"
                " is not the one it was made with. Restore both from one backup."
            ) from error
        return PersonKey(stored.person, stored.recipient, stored.wrapped, key, stored=True)


def encrypt(person: PersonKey, content: bytes) -> bytes:
    """A personal part as it is kept."""
    nonce = _random.take(NONCE_BYTES)
    return nonce + AESGCM(person.secret).encrypt(nonce, content, None)


def decrypt(person: PersonKey, kept: bytes) -> bytes:
    """The personal part. Raises `ValueError` if it was changed, or encrypted with another key."""
    try:
        return AESGCM(person.secret).decrypt(kept[:NONCE_BYTES], kept[NONCE_BYTES:], None)
    except InvalidTag as error:
        raise ValueError("the personal part was changed, or belongs to another key") from error


class PersonKeys:
    """The keys of those who are written to, found or made."""

    def __init__(
        self,
        wrapping: Wrapping,
        look_up: Callable[[Sequence[str]], Awaitable[list[StoredKey | None]]],
        next_person: Callable[[], int],
    ) -> None:
        self._wrapping = wrapping
        self._look_up = look_up
        self._next_person = next_person
        self._known: OrderedDict[str, PersonKey] = OrderedDict()
        self._forgotten = 0

    async def of(self, recipients: Iterable[str]) -> dict[str, PersonKey]:
        """The key of each recipient."""
        keys: dict[str, PersonKey] = {}
        unknown: list[str] = []
        for recipient in dict.fromkeys(recipients):
            known = self._known.get(recipient)
            if known is None:
                unknown.append(recipient)
            else:
                keys[recipient] = known
        if unknown:
            keys.update(await self._find(unknown))
        return keys

    def forget(self, recipient: str) -> None:
        """Take back a key that is about to be deleted, or has been: a later decision gets a new one."""
        self._forgotten += 1
        key = self._known.pop(recipient, None)
        if key is not None:
            key.stored = True  # what is under way with it must not bring it back

    async def _find(self, recipients: Sequence[str]) -> dict[str, PersonKey]:
        forgotten = -1
        found: list[StoredKey | None] = []
        while forgotten != self._forgotten:  # what was read before an erasure may be what it has deleted
            forgotten = self._forgotten
            found = await self._look_up(recipients)
        keys: dict[str, PersonKey] = {}
        for recipient, stored in zip(recipients, found, strict=True):
            # Another batch may have found or made it meanwhile.
            key = self._known.get(recipient)
            if key is None:
                key = self._wrapping.opened(stored) if stored else self._wrapping.new(self._next_person(), recipient)
                self._remember(recipient, key)
            keys[recipient] = key
        return keys

    def _remember(self, recipient: str, key: PersonKey) -> None:
        self._known[recipient] = key
        if len(self._known) > REMEMBERED:
            # One that isn't stored yet must stay, or the next decision would make a second one; it soon will be.
            oldest, other = next(iter(self._known.items()))
            if other.stored:
                del self._known[oldest]
            else:
                self._known.move_to_end(oldest)


def _name(person: int) -> bytes:
    return person.to_bytes(8, "big")
