"""The credentials of the first start, in the file that people paste from."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chappe.security.first_credentials import CREDENTIALS_FILE, ensure_first
from chappe.security.keys import KeyFile, KeyStore

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


def test_a_first_start_cut_short_before_its_keys_are_stored_is_made_up_for(tmp_path: Path) -> None:
    """Keys that only the file knows are no keys; keys that only the store knows would be lost."""

    class Cut(Exception):
        pass

    class CutShort(KeyStore):
        def _store(self, file: KeyFile) -> None:
            raise Cut

    with pytest.raises(Cut):
        ensure_first(CutShort(tmp_path), HERE)
    abandoned = lines_of(tmp_path)
    first = ensure_first(KeyStore(tmp_path), HERE)
    assert first is not None
    assert lines_of(tmp_path)["CHAPPE_API_KEY"] == first.api_token != abandoned["CHAPPE_API_KEY"]
    keys = KeyStore(tmp_path)
    assert [key.id for key in keys.access_keys()] == [lines_of(tmp_path)["AWS_ACCESS_KEY_ID"]]
    assert keys.api_client(first.api_token) is not None


def test_keys_that_were_all_revoked_stay_so(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    ensure_first(keys, HERE)
    for key in (*keys.access_keys(), *keys.api_keys()):
        keys.revoke(key.id)
    assert ensure_first(KeyStore(tmp_path), HERE) is None
    assert not KeyStore(tmp_path).access_keys()
    assert not KeyStore(tmp_path).api_keys()


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
