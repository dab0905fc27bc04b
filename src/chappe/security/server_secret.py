"""A random secret of the data folder, from which keys for single uses are derived."""

from __future__ import annotations

import secrets
from pathlib import Path

from chappe.model.errors import InvalidConfiguration
from chappe.security.private_file import read_private_file, replace_private_file

SECRET_FILE = "server-secret"  # noqa: S105 - a file name
SECRET_BYTES = 32


def exists(folder: Path) -> bool:
    """Whether the folder has its secret already."""
    return (folder / SECRET_FILE).exists()


def load(folder: Path) -> bytes | None:
    """Read `server-secret` (mode 0600); None if there is none. Raises `InvalidConfiguration`."""
    path = folder / SECRET_FILE
    content = read_private_file(path)
    if content is None:
        return None
    try:
        secret = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise InvalidConfiguration(f"{path} holds no usable secret; restore it from a backup.", path=str(path))
    return secret


def load_or_create(folder: Path) -> bytes:
    """The same, making the secret if there is none."""
    secret = load(folder)
    if secret is None:
        secret = secrets.token_bytes(SECRET_BYTES)
        replace_private_file(folder / SECRET_FILE, f"{secret.hex()}\n".encode())
    return secret
