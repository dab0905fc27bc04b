"""People on the command line: stored, imported, exported, erased; and an erasure that is killed goes on."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
import zipfile
from pathlib import Path

from tests.commands import Run

from chappe.cli.connection import connect

from .conftest import Process, served


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_person_is_stored_exported_and_erased(chappe: Run, server: Process, tmp_path: Path) -> None:
    at = ("--data", server.data)
    profile = write(tmp_path, "ana.json", '{"addresses": [{"email": "ana@example.com"}], "country": "DE"}')
    assert chappe("people", "put", "ana", profile, *at).code == 0
    change = write(tmp_path, "change.json", '{"language": "de"}')
    changed = chappe("people", "put", "ana", change, "--change", "--json", *at)
    assert (changed.json["country"], changed.json["language"]) == ("DE", "de")
    assert "ana@example.com" in chappe("people", "list", *at).out

    exported = chappe("people", "export", "ana", "--to", "copy.zip", *at)
    assert exported.code == 0, exported.err
    with zipfile.ZipFile(tmp_path / "copy.zip") as package:
        assert json.loads(package.read("person.json"))["profile"]["language"] == "de"

    erased = chappe("people", "erase", "ana", "--yes", "--json", *at)
    assert erased.json["state"] == "done", erased.out
    receipt = chappe("people", "receipt", erased.json["id"], *at)
    key = chappe("audit", "key", *at)
    genuine = write(tmp_path, "receipt.json", receipt.out)
    pem = write(tmp_path, "key.pem", key.out)
    assert chappe("people", "verify", genuine, "--key", pem).out == "genuine\n"
    forged = write(tmp_path, "forged.json", receipt.out.replace('"erase"', '"restrict"'))
    assert chappe("people", "verify", forged, "--key", pem).code == 1
    assert chappe("people", "show", "ana", *at).err.startswith("chappe: error [person_not_found]")
    assert chappe("people", "erase", "nobody", "--yes", *at).code == 1
    listed = chappe("people", "requests", "--json", *at).json
    assert {request["right"] for request in listed} == {"export", "erase"}


def test_people_are_imported(chappe: Run, server: Process, tmp_path: Path) -> None:
    lines = "".join(f"c{n},c{n}@example.com,US,no\n" for n in range(1_000))
    table = write(tmp_path, "people.csv", "id,email,country,email.promotional\n" + lines)
    done = chappe("people", "import", table, "--data", server.data)
    assert done.out == "1,000 lines: 1,000 people stored\n"
    assert chappe("people", "show", "c999", "--json", "--data", server.data).json["preferences"] == [
        {"allowed": False, "channel": "email", "purpose": "promotional"}
    ]


def test_an_erasure_goes_on_after_a_kill(chappe: Run, tmp_path: Path) -> None:
    write(tmp_path, "chappe.toml", '[routes]\nemail = ["sandbox"]\n')
    options = ("--port", "0", "--config", str(tmp_path / "chappe.toml"))
    message = {"to": {"email": "ana@example.com"}, "purpose": "transactional", "content": {"text": "secret word"}}
    with served(tmp_path, *options) as process:
        process.started()
        at = ("--data", process.data)
        sent = chappe("send", "-", "--wait", *at, stdin=(json.dumps(message) + "\n").encode() * 600)
        assert sent.code == 0, sent.err
        asked = _erase_without_waiting(process)
        process.stop(signal.SIGKILL)
    with served(tmp_path, *options) as process:
        process.started()
        at = ("--data", process.data)
        while (request := _request(chappe, process, asked))["state"] != "done":
            time.sleep(0.05)
        assert request["done"]["messages"] == 600
        blocked = chappe("send", "-", "--json", "--wait", *at, stdin=json.dumps(message).encode())
        assert blocked.lines[0]["decision"] == "block"
        assert process.stop() == 0
    with sqlite3.connect(tmp_path / "data" / "records.db") as connection:
        (said,) = connection.execute("select count(*) from contents where message like '%secret word%'").fetchone()
    connection.close()
    assert said == 1  # in the message that was blocked afterwards


def _erase_without_waiting(process: Process) -> str:
    with connect(None, None, process.data) as server:
        return str(server.post("/v1/people/email:ana@example.com/erase", {})["id"])


def _request(chappe: Run, process: Process, request: str) -> dict[str, object]:
    found = chappe("people", "requests", "--json", "--data", process.data).json
    return next(entry for entry in found if entry["id"] == request)
