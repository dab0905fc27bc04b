from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chappe.model.errors import InvalidConfiguration
from chappe.security import server_secret
from chappe.security.private_file import read_private_file, replace_private_file


def test_what_is_put_there_is_read_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert read_private_file(path) is None
    for content in (b"one", b"two"):
        replace_private_file(path, content)
        assert read_private_file(path) == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    replace_private_file(path, b"x")
    path.chmod(0o640)
    with pytest.raises(InvalidConfiguration, match=r"mode 0640.*chmod 600"):
        read_private_file(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="cannot be read"):
        read_private_file(tmp_path)


def test_the_server_s_secret_stays_the_same(tmp_path: Path) -> None:
    assert server_secret.load(tmp_path) is None
    secret = server_secret.load_or_create(tmp_path)
    assert len(secret) == server_secret.SECRET_BYTES
    assert server_secret.load(tmp_path) == server_secret.load_or_create(tmp_path) == secret


@pytest.mark.parametrize("content", [b"", b"00ff", b"not hexadecimal", b"\xff" * 64])
def test_a_secret_that_is_damaged_is_refused(tmp_path: Path, content: bytes) -> None:
    replace_private_file(tmp_path / server_secret.SECRET_FILE, content)
    with pytest.raises(InvalidConfiguration, match="no usable secret"):
        server_secret.load_or_create(tmp_path)
