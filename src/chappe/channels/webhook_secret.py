"""The signing secret of webhook providers that were given none: made once, kept in the data folder."""

from __future__ import annotations

import stat
from pathlib import Path

from chappe.channels.settings import Secret
from chappe.channels.webhook_signing import decode_secret, generate_secret
from chappe.model.errors import InvalidConfiguration
from chappe.security.keys import replace_private_file

SECRET_FILE = "webhook-secret"  # noqa: S105 - a file name


def load_or_create(folder: Path) -> Secret:
    """Read the secret from `webhook-secret` (mode 0600) in the data folder, making it if there is none.

    Raises `InvalidConfiguration` if the file holds something else or others may read it.
    """
    path = folder / SECRET_FILE
    try:
        mode, text = stat.S_IMODE(path.stat().st_mode), path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        text = generate_secret()
        replace_private_file(path, f"{text}\n".encode())
        return Secret(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error}", path=str(path)) from error
    if mode & 0o077:
        raise InvalidConfiguration(
            f"{path} can be read by other users (mode {mode:04o}); run: chmod 600 {path}", path=str(path)
        )
    try:
        decode_secret(text)
    except ValueError as error:
        raise InvalidConfiguration(f"{path} holds no usable secret: {error}", path=str(path)) from None
    return Secret(text)
