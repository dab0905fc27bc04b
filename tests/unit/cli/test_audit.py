"""`chappe audit` on a data folder whose server has stopped."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.unit.observe.audit.conftest import decide_some
from tests.unit.pipeline.house import SIGNING_KEY, house
from typer.testing import CliRunner, Result

from chappe.app import examine_folder
from chappe.cli import app
from chappe.model.errors import ChappeError
from chappe.records import ids
from chappe.security import audit_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with seven decisions, signed."""
    made = tmp_path_factory.mktemp("audit")

    async def fill() -> None:
        async with house(made) as h:
            await decide_some(h)
            await h.audit.checkpointer.sign()

    asyncio.run(fill())
    _keep_key(made)
    return made


def _keep_key(made: Path) -> None:
    content = SIGNING_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (made / audit_key.KEY_FILE).write_bytes(content)
    (made / audit_key.KEY_FILE).chmod(0o600)


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments, "--data", str(folder)], catch_exceptions=True)


@pytest.fixture
def tampered(folder: Path) -> Iterator[None]:
    """While it lasts, the hash of record 0 is not what it was."""
    with sqlite3.connect(folder / "records.db") as connection:
        ((first, hashes),) = connection.execute(
            "SELECT first, hashes FROM audit_pages ORDER BY first LIMIT 1"
        ).fetchall()
        changed = bytes([hashes[0] ^ 1]) + hashes[1:]
        connection.execute("UPDATE audit_pages SET hashes = ? WHERE first = ?", (changed, first))
    connection.close()
    yield
    with sqlite3.connect(folder / "records.db") as connection:
        connection.execute("UPDATE audit_pages SET hashes = ? WHERE first = ?", (hashes, first))
    connection.close()


def test_a_sound_log_is_said_to_be(folder: Path) -> None:
    result = run(folder, "verify", "--json")
    assert result.exit_code == 0, result.output
    assert (json.loads(result.stdout)["records"], json.loads(result.stdout)["sound"]) == (7, True)
    assert "The log is sound." in run(folder, "verify").stdout


def test_a_log_that_was_changed_ends_with_1_and_the_first_bad_record(folder: Path, tampered: None) -> None:
    result = run(folder, "verify")
    assert result.exit_code == 1
    assert "the first bad record is 0" in result.stdout
    found = [finding for finding in examine_folder(folder).findings if finding.where == "audit"]
    assert found
    assert any("record 0" in finding.what for finding in found)


def test_a_copy_of_the_checkpoints_is_compared_with(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkpoints"
    copy.write_bytes((folder / "audit" / "checkpoints").read_bytes())
    assert run(folder, "verify", "--checkpoints", str(copy)).exit_code == 0
    assert isinstance(run(folder, "verify", "--checkpoints", str(tmp_path / "none")).exception, ChappeError)


def test_sql_gives_a_table_or_json(folder: Path) -> None:
    sql = "SELECT outcome, count(*) AS n FROM decisions GROUP BY outcome ORDER BY outcome"
    assert json.loads(run(folder, "query", sql, "--json").stdout) == [
        {"outcome": "allow", "n": 6},
        {"outcome": "block", "n": 1},
    ]
    assert "allow" in run(folder, "query", sql).stdout
    assert isinstance(run(folder, "query", "DROP VIEW decisions").exception, ChappeError)


def test_decisions_are_proved_and_the_proofs_checked_by_the_public_key_alone(folder: Path, tmp_path: Path) -> None:
    (row, *_) = json.loads(run(folder, "query", "SELECT message FROM decisions ORDER BY number", "--json").stdout)
    proofs, key = tmp_path / "proofs", tmp_path / "key.pem"
    result = run(folder, "prove", row["message"], "--out", str(proofs))
    assert result.exit_code == 0, result.output
    key.write_text(run(folder, "key").stdout)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    checked = run(elsewhere, "check", str(proofs), "--public-key", str(key), "--json")
    assert json.loads(checked.stdout) == {"proofs": 2, "sound": True}
    proofs.write_bytes(proofs.read_bytes().replace(b'"allow"', b'"block"', 1))
    assert isinstance(run(elsewhere, "check", str(proofs), "--public-key", str(key)).exception, ChappeError)
    unknown = ids.key_text(ids.MESSAGE, 1)
    assert isinstance(run(folder, "prove", unknown).exception, ChappeError)


def test_a_folder_without_a_log_is_said_to_have_none(tmp_path: Path) -> None:
    for command in (["verify"], ["query", "SELECT 1"], ["key"]):
        assert isinstance(run(tmp_path, *command).exception, ChappeError)
