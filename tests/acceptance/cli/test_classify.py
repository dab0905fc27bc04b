"""Held messages reviewed, and models exchanged, by commands on a server of its own that is killed in between."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.commands import PATIENCE_SECONDS, Run
from tests.unit.classify.tiny import artefact

from chappe.classify.artefact import artefact_bytes, packaged_artefact
from chappe.cli.connection import Server, connect

from .conftest import Process, served

SETTINGS = '[routes]\nemail = ["sandbox"]\n[classify]\nmoderation = ["gambling=hold"]\nreview_hours = 5\n'


def serving(folder: Path) -> Process:
    (folder / "chappe.toml").write_text(SETTINGS)
    return Process(folder, "--port", "0", "--config", str(folder / "chappe.toml"))


def until(server: Server, message: str, *statuses: str) -> str:
    """Wait until the message has one of these statuses; which."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        status: str = server.get(f"/v1/messages/{message}")["status"]
        if status in statuses:
            return status
        time.sleep(0.05)
    raise AssertionError(f"{message} is {status}")


def test_a_held_message_survives_a_kill_and_goes_when_it_is_approved(chappe: Run, tmp_path: Path) -> None:
    process = serving(tmp_path)
    process.started()
    at = ("--data", process.data)
    content = {"subject": "Your table", "text": "Your code for the roulette table is 482913.\x1b[2J\u202e"}
    document = {"to": {"email": "ana@example.com"}, "purpose": "transactional", "content": content}
    with connect(None, None, process.data) as server:
        taken = [server.post("/v1/messages", document)["id"] for _ in range(2)]
        for message in taken:
            until(server, message, "deferred")
    process.stop(signal.SIGKILL)

    process = serving(tmp_path)
    process.started()
    try:
        found = chappe("classify", "review", "list", "--json", *at).json
        assert [entry["message"] for entry in found] == taken
        listed = chappe("classify", "review", "list", *at)
        assert (listed.code, listed.err) == (0, "")
        assert "2 reviews" in listed.out
        shown = chappe("classify", "review", "show", found[0]["id"], *at).out
        assert "Your code for the roulette table" in shown
        assert "gambling" in shown
        assert "is 482913.\\u001b[2J\\u202e\n" in shown
        review = ("classify", "review")
        approved = chappe(*review, "approve", found[0]["id"], "--as", "transactional", "--note", "fine", *at)
        assert approved.out == f"{found[0]['id']} approved as transactional\n"
        rejected = chappe("classify", "review", "reject", taken[1], "--label", "spam", *at)
        assert rejected.out == f"{found[1]['id']} rejected\n"
        again = chappe("classify", "review", "reject", taken[1], *at)
        assert (again.code, again.out) == (1, "")
        assert "[conflict]" in again.err
        with connect(None, None, process.data) as server:
            assert until(server, taken[0], "sent", "blocked") == "sent"
            assert until(server, taken[1], "sent", "blocked") == "blocked"
        assert chappe("classify", "review", "export", "labelled.csv", *at).out == "2 labelled texts in labelled.csv\n"
        assert "000000" in (tmp_path / "labelled.csv").read_text()
        assert (tmp_path / "labelled.csv").stat().st_mode & 0o077 == 0
        assert chappe(*review, "export", "-", *at).out.encode() == (tmp_path / "labelled.csv").read_bytes()
        nowhere = chappe("classify", "review", "export", "nowhere/labelled.csv", *at)
        assert (nowhere.code, nowhere.out) == (2, "")
        assert nowhere.err.startswith("chappe: error [invalid_configuration]: nowhere/labelled.csv: it cannot be")
        ended = chappe("classify", "review", "list", "--state", "resolved", *at).out
        assert "ended as" in ended
        assert "rejected" in ended
        assert "first start" in ended
        shown = chappe("classify", "review", "show", found[0]["id"], *at).out
        assert "ended as transactional by first start on" in shown
        assert ": fine" in shown
    finally:
        process.stop()


def test_a_status_tells_both_purposes_and_why(chappe: Run, server: Process) -> None:
    text = "FLAT 50% OFF on all shoes this weekend only! Shop now at https://shoes.example. T&C apply"
    document = {"to": {"email": "ana@example.com"}, "purpose": "transactional", "content": {"text": text}}
    with connect(None, None, server.data) as api:
        taken = api.post("/v1/messages", document)
        until(api, taken["id"], "blocked", "sent", "deferred")
    told = chappe("status", taken["id"], "--data", server.data).out
    assert "promotional (declared transactional) email to ana@example.com" in told
    assert "classifier: annotate: reads as promotional with a probability of" in told


def test_models_are_exchanged_and_the_choice_survives_a_kill(chappe: Run, tmp_path: Path) -> None:
    process = serving(tmp_path)
    process.started()
    at = ("--data", process.data)
    other = artefact()
    (tmp_path / "model.json").write_bytes(artefact_bytes(other.card, other.weights))
    assert chappe("classify", "models", "add", "model.json", *at).out == f"{other.version}\n"
    told = chappe("classify", "models", "shadow", other.version, *at).out
    assert told == f"in use: the packaged model, {other.version} in its shadow\n"
    assert "0 of 0 messages differ" in chappe("classify", "models", "shadow", *at).out
    assert chappe("classify", "models", "activate", other.version, *at).out == f"in use: {other.version}\n"
    process.stop(signal.SIGKILL)

    with served(tmp_path, "--port", "0") as process:
        process.started()
        listed = chappe("classify", "models", "list", "--json", *at).json
        assert [entry["version"] for entry in listed["models"] if entry["in_use"]] == [other.version]
        assert "tiny" in chappe("classify", "models", "list", *at).out
        assert packaged_artefact().version in chappe("classify", "models", "list", *at).out
        back = chappe("classify", "models", "rollback", *at).out
        assert back == f"in use: the packaged model, {other.version} in its shadow\n"
        assert chappe("classify", "models", "shadow", "--end", *at).code == 0
        assert chappe("classify", "models", "shadow", *at).out == "no model is in the shadow\n"
        wrong = chappe("classify", "models", "activate", "0123456789ab", *at)
        assert (wrong.code, wrong.out) == (1, "")
        assert "[model_not_found]" in wrong.err
