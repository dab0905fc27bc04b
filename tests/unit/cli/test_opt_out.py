from __future__ import annotations

import msgspec
from typer.testing import CliRunner

from chappe.cli.main import app

RUNNER = CliRunner()


def test_a_reading_is_shown_with_its_reasons() -> None:
    result = RUNNER.invoke(app, ["optout", "classify", "don't stop the updates"])
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "none, confidence 1",
        "  guarded (en): 'stop the updates', taken back by 'dont stop'",
    ]


def test_what_is_not_certain_is_said_to_be_so() -> None:
    assert "a person should look at it" in RUNNER.invoke(app, ["optout", "classify", "not interested"]).output


def test_lines_are_read_from_standard_input_as_json() -> None:
    result = RUNNER.invoke(app, ["optout", "classify", "-", "--json", "--jurisdiction", "CN"], input="T\nhello\n")
    replies = [msgspec.json.decode(line) for line in result.output.splitlines()]
    assert [reply["intent"] for reply in replies] == ["opt_out", "none"]
    assert [reply["certain"] for reply in replies] == [True, True]


def test_words_of_ones_own_count() -> None:
    result = RUNNER.invoke(app, ["optout", "classify", "stopacme", "--keyword", "STOPACME", "--json"])
    assert msgspec.json.decode(result.output)["keyword"] == "stopacme"
