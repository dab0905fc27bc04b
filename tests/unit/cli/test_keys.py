from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands import Run

from chappe.security.keys import KeyStore


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


def test_an_access_key_sees_the_queues_of_the_keys_before_it(chappe: Run, folder: Path) -> None:
    KeyStore(folder).create_access_key("first start", account="210987654321")
    assert chappe("keys", "create", "--kind", "access", "--json").json["account"] == "210987654321"
    made = chappe("keys", "create", "--kind", "access", "--account", "111122223333", "--json").json
    assert KeyStore(folder).signing_secret(made["id"]) == (made["secret"], "111122223333")
    assert "must be 12 digits" in chappe("keys", "create", "--kind", "access", "--account", "1").err
    assert "--kind access" in chappe("keys", "create", "--account", "111122223333").err


def test_the_configuration_names_folder_and_account(chappe: Run, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "chappe.toml").write_text(
        '[server]\ndata = "../kept"\n[aws]\naccount = "210987654321"\n'
        '[providers.mail]\nkind = "smtp"\nhost = "smtp.acme.example"\nsender = "a@acme.example"\n'
        'username = "acme"\npassword = "env:ONLY_THE_SERVER_HAS_IT"\n'
    )
    env = {"CHAPPE_CONFIG": "etc/chappe.toml"}
    made = chappe("keys", "create", "--kind", "access", "--json", env=env).json
    assert made["account"] == "210987654321"
    assert KeyStore(tmp_path / "kept").access_keys()[0].id == made["id"]
    assert "kept" in chappe("doctor", env=env).out
    assert chappe("keys", "list", env={"CHAPPE_CONFIG": "nope.toml"}).code == 2


def test_the_environment_names_the_account(chappe: Run, folder: Path) -> None:
    made = chappe("keys", "create", "--kind", "access", "--json", env={"CHAPPE_AWS_ACCOUNT": "210987654321"}).json
    assert made["account"] == "210987654321"
