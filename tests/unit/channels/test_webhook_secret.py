from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chappe.channels.webhook_secret import SECRET_FILE, load_or_create
from chappe.model.errors import InvalidConfiguration


def test_made_once_and_private(tmp_path: Path) -> None:
    secret = load_or_create(tmp_path)
    assert load_or_create(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600
    assert secret.reveal().startswith("whsec_")


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    (tmp_path / SECRET_FILE).chmod(0o644)
    with pytest.raises(InvalidConfiguration, match="chmod 600"):
        load_or_create(tmp_path)


@pytest.mark.parametrize("content", [b"", b"whsec_short", b"\xff\xfe"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SECRET_FILE).write_bytes(content)
    (tmp_path / SECRET_FILE).chmod(0o600)
    with pytest.raises(InvalidConfiguration, match=SECRET_FILE):
        load_or_create(tmp_path)
