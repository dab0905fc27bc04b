"""`chappe rules` against a running server, and on files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.commands import Run
from tests.unit.pipeline.rules.conftest import a_rule, closed_always, rule_file

from chappe.cli.rules.tables import version_text
from chappe.compliance.rule_files.loading import Reading

from .conftest import Process, served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    """A server of this test's own: the rules in force are everybody's."""
    (tmp_path / "chappe.toml").write_text('[routes]\nemail = ["sandbox"]\n')
    with served(tmp_path, "--port", "0", "--config", str(tmp_path / "chappe.toml")) as process:
        process.started()
        yield process


def fate(chappe: Run, server: Process) -> str:
    """What became of a message to France."""
    message = b'{"to": {"email": "ana@example.fr"}, "purpose": "transactional", "content": {"text": "Hello."}}'
    done = chappe("send", "-", "--json", "--wait", "--data", server.data, stdin=message)
    ((status, count),) = done.lines[-1]["summary"].items()
    assert count == 1
    return str(status)


def test_a_version_from_file_to_force_and_back(chappe: Run, server: Process, tmp_path: Path) -> None:
    def rules(*arguments: str | Path, code: int = 0) -> Any:
        done = chappe("rules", *arguments, "--data", server.data)
        assert done.code == code, done.err + done.out
        return done

    assert fate(chappe, server) == "sent"
    file = tmp_path / "mine.yaml"
    file.write_text(rule_file(closed_always("house-closed", condition="'recipient.country == \"FR\"'")))
    assert "nothing wrong" in rules("validate", file, "--base", "1").out
    assert "stored as version 2" in rules("create", file, "--base", "1", "-m", "no mail to France").out
    assert "house-closed" in rules("diff", "2").out
    compared = rules("backtest", "2").out
    assert "1 of 1 decisions would change" in compared
    assert "house-closed" in compared
    assert rules("dry-run", "2", "--json").json["changed"] == 1

    messages = tmp_path / "messages.csv"
    messages.write_text("email,purpose,text\nana@example.fr,transactional,hi\nana@example.de,transactional,hi\n")
    decided = rules("dry-run", "2", messages, "--json").json
    assert [(entry["changed"], entry["after"]["outcome"]) for entry in decided] == [(True, "block"), (False, "allow")]
    assert "house-closed" in rules("dry-run", "2", messages).out

    staged = rules("activate", "2", "--reason", "carefully", "--percent", "5", "--jurisdiction", "DE").out
    assert staged == "in force: version 1, and version 2 for 5 % in DE\n"
    assert fate(chappe, server) == "sent"
    assert rules("activate", "2", "--reason", "now").out == "in force: version 2\n"
    assert fate(chappe, server) == "blocked"
    assert rules("rollback", "--reason", "too much").out == "in force: version 1, and version 2 for 5 % in DE\n"
    assert fate(chappe, server) == "sent"

    history = rules("history", "--json").json
    assert [(entry["kind"], entry["author"]["reason"]) for entry in history] == [
        ("rolled_back", "too much"),
        ("activated", "now"),
        ("staged", "carefully"),
        ("automatic", "the first start"),
    ]
    assert "too much" in rules("history").out
    versions = rules("versions").out
    assert "no mail to France" in versions

    listed = rules("list", "--jurisdiction", "US-FL", "--channel", "sms", "--json").json
    assert "us-tcpa-quiet-hours" in {rule["id"] for rule in listed}
    assert "us-tcpa-quiet-hours" in rules("list", "--kind", "quiet_hours").out
    assert yaml.safe_load(rules("show", "us-tcpa-quiet-hours").out)[0]["kind"] == "quiet_hours"
    shown = tmp_path / "shown.yaml"
    shown.write_text(rules("show", "2").out)
    assert "same as version 2" in rules("create", shown, "-m", "the same again", code=1).err
    assert "rule_set_not_found" in rules("show", "77", code=1).err


def test_files_are_checked_without_a_server(chappe: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(rule_file(a_rule(examples="\n  - {says: block, why: Nobody agreed.}")))
    bad.write_text(rule_file(a_rule("other", severity="odd", condition="person.agee > 3")))
    done = chappe("rules", "validate", good)
    assert (done.code, done.out) == (0, "1 rules, nothing wrong\n")
    assert "warning: no rule of kind suppression" in done.err
    done = chappe("rules", "validate", good, bad, "--json")
    assert done.code == 1
    assert [(problem["file"], problem["field"]) for problem in done.json["problems"]] == [
        ("bad.yaml", "severity"),
        ("bad.yaml", "condition"),
    ]
    assert "person.agee" in chappe("rules", "validate", bad).out
    assert chappe("rules", "validate", tmp_path / "absent.yaml").code == 2


def test_examples_are_run(chappe: Run, tmp_path: Path) -> None:
    told, untrue = tmp_path / "told.yaml", tmp_path / "untrue.yaml"
    told.write_text(rule_file(a_rule(examples="\n  - {says: block, why: Nobody agreed.}")))
    untrue.write_text(rule_file(a_rule(examples="\n  - {says: allow, why: It is a test.}")))
    done = chappe("rules", "test", told)
    assert (done.code, done.out) == (0, "1 examples of 1 rules, 0 not true\n")
    done = chappe("rules", "test", untrue)
    assert done.code == 1
    assert "It is a test." in done.out
    assert chappe("rules", "test", untrue, "--json").json["failures"][0]["found"] == "block"
    packaged = chappe("rules", "test", "--json")
    assert (packaged.code, packaged.json["failures"]) == (0, [])
    assert packaged.json["examples"] > 0


def test_a_shown_version_is_a_rule_file_of_the_same_rules() -> None:
    reading = Reading()
    text = rule_file(a_rule(regulation="'NO'", citation="'08:00'", summary="'a: b # c'", source="'1e3, ~ and \u00e9'"))
    reading.read(text.encode(), "written")
    about = {"version": 3, "created_at": "2026-03-01T00:00:00Z", "author": {"name": "ana", "reason": "two\nlines"}}
    shown = version_text({"rule_set": about, "rules": json.loads(msgspec.json.encode(reading.rules))})
    again = Reading()
    again.read(shown.encode(), "shown")
    assert (again.problems, again.rules) == ([], reading.rules)
    assert len(again.rules) == 1
