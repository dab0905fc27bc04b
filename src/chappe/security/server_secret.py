"""A random secret of the data folder, from which keys for single uses are derived."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

from chappe.model.errors import InvalidConfiguration
from chappe.security.keys import replace_private_file

SECRET_FILE = "server-secret"  # noqa: S105 - a file name
SECRET_BYTES = 32


def exists(folder: Path) -> bool:
    """Whether the folder has its secret already."""
    return (folder / SECRET_FILE).exists()


def load_or_create(folder: Path) -> bytes:
    """Read `server-secret` (mode 0600), making it if there is none. Raises `InvalidConfiguration`."""
    path = folder / SECRET_FILE
    try:
        mode, text = stat.S_IMODE(path.stat().st_mode), path.read_text(encoding="ascii")
    except FileNotFoundError:
        secret = secrets.token_bytes(SECRET_BYTES)
        replace_private_file(path, f"{secret.hex()}\n".encode())
        return secret
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error}", path=str(path)) from error
    if mode & 0o077:
        raise InvalidConfiguration(
            f"{path} can be read by other users (mode {mode:04o}); run: chmod 600 {path}", path=str(path)
        )
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise InvalidConfiguration(f"{path} holds no usable secret; restore it from a backup.", path=str(path))
    return secret
