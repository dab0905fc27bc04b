from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from chappe.cli.main import app
from chappe.compliance.rule_files.loading import read_rules
from chappe.model.errors import InvalidInput, InvalidRules

RUNNER = CliRunner()
TEXT = (
    "Act on text messages (Poland)\n\n"
    "§ 1. No promotional SMS may be sent before 8 a.m. or after 9 p.m.\n"
    "§ 2. Each promotional SMS must include an opt-out link.\n"
    "§ 3. Senders shall file a plan of their promotional messages.\n"
)
HOURS = "pl-act-on-text-messages-poland-quiet-hours"
WAY_OUT = "pl-act-on-text-messages-poland-unsubscribe-mechanism"


@pytest.fixture
def act(tmp_path: Path) -> Path:
    file = tmp_path / "act.txt"
    file.write_text(TEXT)
    return file


def test_a_file_becomes_a_rule_file_with_its_sentences(act: Path, tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["rules", "draft", str(act)])
    assert result.exit_code == 0
    assert '# line 3: "No promotional SMS may be sent before 8 a.m. or after 9 p.m."' in result.stdout
    assert "file a plan" in result.stdout.partition("Not understood")[2]
    drafted = tmp_path / "drafted.yaml"
    drafted.write_text(result.stdout)
    assert [rule.id for rule in read_rules([drafted])] == [HOURS, WAY_OUT]


def test_proposals_are_accepted_one_by_one(act: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    for accepted in (WAY_OUT, HOURS):
        assert RUNNER.invoke(app, ["rules", "draft", str(act), "--accept", accepted, "--out", str(out)]).exit_code == 0
    assert [rule.id for rule in read_rules([out])] == [WAY_OUT, HOURS]
    assert RUNNER.invoke(app, ["rules", "validate", str(out)]).exit_code == 0


def test_a_rule_that_is_there_already_is_refused_and_the_file_kept(act: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    RUNNER.invoke(app, ["rules", "draft", str(act), "--accept", HOURS, "--out", str(out)])
    before = out.read_text()
    result = RUNNER.invoke(app, ["rules", "draft", str(act), "--out", str(out)])
    assert isinstance(result.exception, InvalidRules)
    assert "already defined" in result.exception.message
    assert out.read_text() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["act.txt", "mine.yaml"]


def test_json_from_standard_input() -> None:
    result = RUNNER.invoke(app, ["rules", "draft", "-", "--json", "--jurisdiction", "us-fl"], input=TEXT)
    found = msgspec.json.decode(result.stdout)
    assert [proposal["rule"]["jurisdiction"] for proposal in found["proposals"]] == ["US-FL", "US-FL"]
    assert found["proposals"][0]["drafted_from"][0]["line"] == 3
    assert found["not_understood"][0]["passage"]["line"] == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Nachrichten mit Werbung dürfen am Sonntag nicht gesendet werden."], "English"),
        ([TEXT, "--accept", "other"], "there is no such proposal"),
        ([TEXT, "--jurisdiction", "Poland"], "country or subdivision"),
        ([TEXT, "--out", "/no/such/folder/mine.yaml"], "cannot be written"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], says: str) -> None:
    result = RUNNER.invoke(app, ["rules", "draft", *arguments])
    assert isinstance(result.exception, InvalidInput)
    assert says in result.exception.message
