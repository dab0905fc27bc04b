"""The credentials made on the first start, kept where the operator can find them again."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from chappe.security.keys import AccessKey, KeyStore
from chappe.security.principal import DEFAULT_ACCOUNT, DEFAULT_REGION
from chappe.security.private_file import replace_private_file

CREDENTIALS_FILE = "credentials.env"
_FIRST_NAME = "first start"


class FirstCredentials(msgspec.Struct, frozen=True):
    """One key of each kind, and the file that holds the lines to paste."""

    access_key: AccessKey
    api_token: str
    path: Path
    lines: tuple[str, ...]
    """Shell lines: `export NAME=value`."""


def ensure_first(
    keys: KeyStore, endpoint_url: str, *, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION
) -> FirstCredentials | None:
    """Create one access key and one API key if there never was a key, and write `credentials.env` (mode 0600).

    Returns None if there is a key file already, even one whose keys were all revoked; `credentials.env`, if it is still
    there, then learns a new endpoint. API keys are kept as hashes, so this file is the only place where the first one
    can be read again; it is written before the keys are stored, so that a first start that is cut short leaves both or
    is made up for by the next one.
    """
    path = keys.path.with_name(CREDENTIALS_FILE)
    if keys.made:
        _tell_endpoint(path, endpoint_url)
        return None
    lines: tuple[str, ...] = ()

    def write_down(access_key: AccessKey, token: str) -> None:
        nonlocal lines
        lines = (
            f"export AWS_ENDPOINT_URL={endpoint_url}",
            f"export AWS_ACCESS_KEY_ID={access_key.id}",
            f"export AWS_SECRET_ACCESS_KEY={access_key.secret}",
            f"export AWS_DEFAULT_REGION={region}",
            f"export CHAPPE_URL={endpoint_url}",
            f"export CHAPPE_API_KEY={token}",
        )
        text = "# Made on the first start. Take a key away with `chappe keys revoke`.\n" + "\n".join(lines) + "\n"
        replace_private_file(path, text.encode())

    access_key, token = keys.create_pair(_FIRST_NAME, account=account, before_storing=write_down)
    return FirstCredentials(access_key, token, path, lines)


def _tell_endpoint(path: Path, endpoint_url: str) -> None:
    """Correct the lines of a credentials file that name the server's address."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # removed by the operator, or no longer ours
        return
    current = re.sub(
        r"^export (AWS_ENDPOINT_URL|CHAPPE_URL)=.*$",
        lambda line: f"export {line[1]}={endpoint_url}",
        text,
        flags=re.MULTILINE,
    )
    if current != text:
        replace_private_file(path, current.encode())
