"""The credentials of the first start, in the file that people paste from."""

from __future__ import annotations

import stat
from pathlib import Path

from chappe.security.first_credentials import CREDENTIALS_FILE, ensure_first
from chappe.security.keys import KeyStore

HERE = "http://127.0.0.1:9324"
ELSEWHERE = "http://127.0.0.1:9400"


def lines_of(folder: Path) -> dict[str, str]:
    text = (folder / CREDENTIALS_FILE).read_text()
    return dict(line.removeprefix("export ").split("=", 1) for line in text.splitlines() if line.startswith("export "))


def test_the_first_start_makes_one_key_of_each_kind_and_keeps_the_lines_private(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    first = ensure_first(keys, HERE)
    assert first is not None
    assert [key.id for key in keys.access_keys()] == [first.access_key.id]
    assert keys.api_client(first.api_token) is not None
    assert lines_of(tmp_path)["AWS_ENDPOINT_URL"] == HERE
    assert stat.S_IMODE((tmp_path / CREDENTIALS_FILE).stat().st_mode) == 0o600


def test_a_later_start_makes_nothing(tmp_path: Path) -> None:
    ensure_first(KeyStore(tmp_path), HERE)
    before = (tmp_path / CREDENTIALS_FILE).read_bytes()
    assert ensure_first(KeyStore(tmp_path), HERE) is None
    assert (tmp_path / CREDENTIALS_FILE).read_bytes() == before


def test_the_file_follows_the_server_to_another_address(tmp_path: Path) -> None:
    ensure_first(KeyStore(tmp_path), HERE)
    before = lines_of(tmp_path)
    ensure_first(KeyStore(tmp_path), ELSEWHERE)
    assert lines_of(tmp_path) == before | {"AWS_ENDPOINT_URL": ELSEWHERE, "CHAPPE_URL": ELSEWHERE}
    assert stat.S_IMODE((tmp_path / CREDENTIALS_FILE).stat().st_mode) == 0o600


def test_a_file_that_the_operator_removed_does_not_come_back(tmp_path: Path) -> None:
    ensure_first(KeyStore(tmp_path), HERE)
    (tmp_path / CREDENTIALS_FILE).unlink()
    assert ensure_first(KeyStore(tmp_path), ELSEWHERE) is None
    assert not (tmp_path / CREDENTIALS_FILE).exists()
