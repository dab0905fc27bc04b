"""The signing secret of webhook providers that were given none: made once, kept in the data folder."""

from __future__ import annotations

from pathlib import Path

from chappe.channels.settings import Secret
from chappe.channels.webhook_signing import decode_secret, generate_secret
from chappe.model.errors import InvalidConfiguration
from chappe.security.private_file import read_private_file, replace_private_file

SECRET_FILE = "webhook-secret"  # noqa: S105 - a file name


def load(folder: Path) -> Secret | None:
    """Read `webhook-secret` (mode 0600) in the data folder; None if there is none. Raises `InvalidConfiguration`."""
    path = folder / SECRET_FILE
    content = read_private_file(path)
    if content is None:
        return None
    try:
        text = content.decode("ascii").strip()
        decode_secret(text)
    except ValueError as error:
        raise InvalidConfiguration(f"{path} holds no usable secret: {error}", path=str(path)) from None
    return Secret(text)


def load_or_create(folder: Path) -> Secret:
    """The same, making the secret if there is none."""
    secret = load(folder)
    if secret is None:
        secret = Secret(generate_secret())
        replace_private_file(folder / SECRET_FILE, f"{secret.reveal()}\n".encode())
    return secret
