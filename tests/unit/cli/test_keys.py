from __future__ import annotations

from pathlib import Path

import pytest

from chappe.security.keys import KeyStore

from .conftest import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "chappe-data"
    folder.mkdir()
    return folder


def test_an_api_key_is_shown_once_and_works(chappe: Run, folder: Path) -> None:
    made = chappe("keys", "create", "--name", "shop")
    assert (made.code, made.err) == (0, "")
    variable, _, token = made.out.strip().removeprefix("export ").partition("=")
    assert variable == "CHAPPE_API_KEY"
    client = KeyStore(folder).api_client(token)
    assert client is not None
    assert client.name == "shop"
    assert token not in chappe("keys", "list").out
    assert token not in chappe("keys", "list", "--json").out


def test_an_access_key_as_json(chappe: Run, folder: Path) -> None:
    made = chappe("keys", "create", "--kind", "access", "--json", "--data", folder).json
    assert made["kind"] == "access"
    assert KeyStore(folder).signing_secret(made["id"]) == (made["secret"], "000000000000")
    (listed,) = chappe("keys", "list", "--json", "--data", folder).json
    assert listed["id"] == made["id"]
    assert "secret" not in listed


def test_revoking(chappe: Run, folder: Path) -> None:
    made = chappe("keys", "create", "--json").json
    assert chappe("keys", "revoke", made["id"]).out == f"revoked {made['id']}\n"
    assert KeyStore(folder).api_client(made["token"]) is None
    again = chappe("keys", "revoke", made["id"])
    assert again.code == 1
    assert again.err.startswith("chappe: error [not_found]: there is no key ")
    assert again.err.count("\n") == 1


def test_there_must_be_a_data_folder(chappe: Run, tmp_path: Path) -> None:
    result = chappe("keys", "create", "--data", tmp_path / "nope")
    assert result.code == 1
    assert result.err.startswith("chappe: error [not_found]: there is no data folder ")
    assert not (tmp_path / "nope").exists()


def test_a_damaged_key_file_is_a_configuration_error(chappe: Run, folder: Path) -> None:
    (folder / "keys.json").write_text("{")
    (folder / "keys.json").chmod(0o600)
    result = chappe("keys", "list")
    assert result.code == 2
    assert result.err.startswith("chappe: error [invalid_configuration]: ")
    assert "Traceback" not in result.err
