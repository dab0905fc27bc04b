"""The key that checkpoints of the audit log are signed with: Ed25519, made once, in PKCS #8 PEM."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from chappe.model.errors import InvalidConfiguration, InvalidInput
from chappe.security.private_file import read_private_file, replace_private_file

KEY_FILE = "audit-key"


def load(folder: Path) -> Ed25519PrivateKey | None:
    """Read `audit-key` (mode 0600); None if there is none. Raises `InvalidConfiguration`."""
    path = folder / KEY_FILE
    content = read_private_file(path)
    if content is None:
        return None
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise InvalidConfiguration(f"{path} holds no usable key; restore it from a backup.", path=str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidConfiguration(f"{path} holds a key of another kind; restore it from a backup.", path=str(path))
    return key


def load_or_create(folder: Path) -> Ed25519PrivateKey:
    """The same, making the key if there is none."""
    key = load(folder)
    if key is None:
        key = Ed25519PrivateKey.generate()
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        replace_private_file(folder / KEY_FILE, content)
    return key


def public_pem(key: Ed25519PublicKey) -> str:
    """The public key as a PEM file holds it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_key_of(pem: bytes) -> Ed25519PublicKey:
    """The key of a PEM file. Raises `InvalidInput`."""
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise InvalidInput("this is no public key in PEM form; `chappe audit key` prints one") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput("this is a public key of another kind; audit logs are signed with Ed25519")
    return key
