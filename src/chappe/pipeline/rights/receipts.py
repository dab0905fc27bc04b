"""Receipts: what was done about a request, signed with the key that signs the audit log.

A receipt names no address. Its `person` and `addresses` are keyed digests, so that a receipt that is passed around
tells nothing; the server that made it can tell whom it is about.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chappe.observe.audit.notes import key_name


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was not erased, how much of it, and why. `until` is None where nobody can say."""

    what: str
    count: int
    why: str
    until: datetime | None = None
    rules: tuple[str, ...] = ()


class Package(msgspec.Struct, frozen=True):
    """The copy that was made."""

    sha256: str
    size_bytes: int
    available_until: datetime


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was done. `state` is `held` for what a legal hold keeps from being finished. `due_at` is the deadline."""

    request: str
    right: str
    state: str
    person: str
    addresses: tuple[str, ...]
    received_at: datetime
    at: datetime
    due_at: datetime | None = None
    jurisdictions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    done: dict[str, int] = {}
    kept: tuple[Kept, ...] = ()
    package: Package | None = None
    signed_by: str = ""
    signature: str = ""


def signed(receipt: Receipt, key: Ed25519PrivateKey) -> str:
    """The receipt as it is kept and handed out: JSON with its signature."""
    named = msgspec.structs.replace(receipt, signed_by=key_name(key.public_key()), signature="")
    signature = base64.b64encode(key.sign(_body(msgspec.to_builtins(named)))).decode()
    return _encoder.encode(msgspec.structs.replace(named, signature=signature)).decode()


def is_genuine(text: str | bytes, key: Ed25519PublicKey) -> bool:
    """Whether a receipt was signed with this key and has not been changed since."""
    try:
        document = msgspec.json.decode(text)
        signature = base64.b64decode(document.pop("signature"), validate=True)
        key.verify(signature, _body(document))
    except (msgspec.DecodeError, KeyError, AttributeError, TypeError, binascii.Error, InvalidSignature):
        return False
    return bool(document.get("signed_by") == key_name(key))


def digest_of(text: str) -> str:
    """What the audit log keeps of a receipt."""
    return sha256(text.encode()).hexdigest()


def moment(at_ms: int | None) -> datetime | None:
    """A moment as receipts write it."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC)


_encoder = msgspec.json.Encoder()


def _body(document: dict[str, Any]) -> bytes:
    """What is signed: the JSON without spaces, keys in order, without the signature."""
    return msgspec.json.encode(document, order="sorted")
