"""Checkpoints in words: the signed head of the tree as a note that other tools of transparency logs can read.

The form is that of C2SP (tlog-checkpoint in a signed-note): the log's name, the number of records, the head in base64,
here also the moment; an empty line; a signature line with the key's name, and in base64 four bytes of the key's hash
and the Ed25519 signature of everything above the empty line.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"
_DASH = "\N{EM DASH} "
_NAME = "chappe-audit/"


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of the tree over the first `size` records at a moment, signed. `name` tells the key."""

    name: str
    size: int
    root: bytes
    at_ms: int
    signature: bytes

    @property
    def body(self) -> str:
        """What is signed."""
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        return f"{self.name}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{at}\n"


def key_name(key: Ed25519PublicKey) -> str:
    """The name of a key: `chappe-audit/` and 16 hexadecimal digits of its SHA-256."""
    return _NAME + sha256(_raw(key)).hexdigest()[:16]


def sign(key: Ed25519PrivateKey, size: int, root: bytes, at_ms: int) -> Checkpoint:
    """A checkpoint."""
    unsigned = Checkpoint(key_name(key.public_key()), size, root, at_ms, b"")
    return msgspec.structs.replace(unsigned, signature=key.sign(unsigned.body.encode()))


def is_signed_by(checkpoint: Checkpoint, key: Ed25519PublicKey) -> bool:
    """Whether the signature is this key's."""
    try:
        key.verify(checkpoint.signature, checkpoint.body.encode())
    except InvalidSignature:
        return False
    return checkpoint.name == key_name(key)


def to_note(checkpoint: Checkpoint, key: Ed25519PublicKey) -> str:
    """The checkpoint in words."""
    key_hash = sha256(checkpoint.name.encode() + b"\n" + _ED25519 + _raw(key)).digest()[:4]
    signature = base64.b64encode(key_hash + checkpoint.signature).decode()
    return f"{checkpoint.body}\n{_DASH}{checkpoint.name} {signature}\n"


def from_notes(text: str) -> Iterator[Checkpoint]:
    """The checkpoints of notes that follow each other. A note that is cut off at the end is left out.

    Raises `ValueError` for anything else that is no note.
    """
    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines[:-1]):
        if line.startswith(_DASH):
            yield _from_lines(lines[start : number + 1])
            start = number + 1


def _from_lines(lines: list[str]) -> Checkpoint:
    try:
        name, size, root, at, empty, signed = lines
        _, signer, signature = signed.split(" ")
        checkpoint = Checkpoint(
            name,
            int(size),
            base64.b64decode(root, validate=True),
            round(datetime.fromisoformat(at).timestamp() * 1000),
            base64.b64decode(signature, validate=True)[4:],
        )
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"not a checkpoint: {' / '.join(lines)[:200]!r}") from error
    if empty or signer != name or checkpoint.body != "\n".join(lines[:4]) + "\n":
        raise ValueError(f"not a checkpoint in the usual form: {' / '.join(lines)[:200]!r}")
    return checkpoint


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
