"""Rule files: what is accepted, and what is said of the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from chappe.compliance.rule_files.loading import MAX_FILE_BYTES
from chappe.compliance.rule_sets.rule_set import RuleSet, load_rule_set
from chappe.model.errors import InvalidConfiguration

GOOD = """
rules:
- id: xx-night
  kind: quiet_hours
  jurisdiction: XX
  regulation: A law
  citation: s. 1
  channels: [sms]
  applies_to: promotional
  parameters: {start: 08:00, end: 21:00, tz: Europe/Oslo}
  action: defer
  severity: high
  summary: Only by day.
  source: the gazette
  confidence: verified
"""
Load = Callable[[str], RuleSet]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def run(text: str) -> RuleSet:
        (tmp_path / "xx.yaml").write_text(text, encoding="utf-8")
        return load_rule_set([tmp_path], version=3)

    return run


def refusal(load: Load, text: str) -> InvalidConfiguration:
    with pytest.raises(InvalidConfiguration) as refused:
        load(text)
    return refused.value


def test_a_good_file_is_read(load: Load) -> None:
    rules = load(GOOD)
    assert rules.version == 3
    assert [(rule.id, rule.kind, rule.jurisdiction) for rule in rules.rules] == [("xx-night", "quiet_hours", "XX")]


def test_rules_beside_the_shipped_ones_replace_those_of_the_same_id(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD.replace("xx-night", "default-quiet-hours"))
    shipped = {rule.id: rule for rule in load_rule_set().rules}
    both = {rule.id: rule for rule in load_rule_set([tmp_path], beside_packaged=True).rules}
    assert set(both) == set(shipped)
    assert both["default-quiet-hours"].jurisdiction == "XX"
    assert both["us-tcpa-quiet-hours"] == shipped["us-tcpa-quiet-hours"]


def test_a_single_file_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert len(load_rule_set([path]).rules) == 1


def test_times_and_country_codes_need_no_quotes(load: Load) -> None:
    norway = load(GOOD.replace("jurisdiction: XX", "jurisdiction: NO")).rules[0]
    assert norway.jurisdiction == "NO"


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ("kind: quiet_hours", "kind: moon_phase", "kind", "'moon_phase' is not a kind .*: age_gate, "),
        ("  kind: quiet_hours\n", "", "kind", "missing"),
        ("08:00", "8 am", "parameters.start", "HH:MM|regex"),
        ("end: 21:00", "end: 07:00", "parameters", "start must be before end"),
        (", end: 21:00", "", "parameters", "both start and end"),
        ("tz: Europe/Oslo", "tz: Europe/Olso", "parameters.tz", "unknown time zone 'Europe/Olso'"),
        ("tz: Europe/Oslo", "timezone: UTC", "parameters.timezone", "unknown field"),
        ("end: 21:00", "end: 21:00, banned_days: [holiday]", "parameters.calendar", "no public holidays .* 'XX'"),
        ("end: 21:00", "end: 21:00, banned_days: [payday]", "parameters.banned_days", "payday"),
        ("channels: [sms]", "channels: [telex]", "channels", "unknown channel 'telex'"),
        ("channels: [sms]", "channels: []", "channels", "at least one"),
        ("applies_to: promotional", "applies_to: everyone", "applies_to", "everyone"),
        ("action: defer", "action: redact", "action", "redact"),
        ("  citation: s. 1\n", "", "citation", "missing"),
        ("severity: high", "severity: 4", "severity", "str"),
        ("severity: high", "severity: major", "severity", "'major'; there are: low, medium, high, critical"),
        ("id: xx-night", "id: XX night", "id", "regex"),
        ("jurisdiction: XX", "jurisdiction: Norway", "jurisdiction", "regex"),
        ("jurisdiction: XX", "jurisdiction: UK", "jurisdiction", "UK is no country of ISO 3166-1; the United Kingdom"),
        ("jurisdiction: XX", "jurisdiction: US-ZZ", "jurisdiction", "ZZ is no part of US"),
        ("confidence: verified", "confidence: verified\n  effective_from: soon", "effective_from", "date"),
        (
            "confidence: verified",
            "confidence: verified\n  effective_from: '2026-02-01'\n  effective_until: '2026-02-01'",
            "effective_until",
            "later",
        ),
    ],
)
def test_an_error_names_file_rule_and_field(load: Load, old: str, new: str, field: str, says: str) -> None:
    assert old in GOOD
    error = refusal(load, GOOD.replace(old, new))
    assert error.details["file"] == "xx.yaml"
    assert error.details["rule"] == ("XX night" if field == "id" else "xx-night")
    assert str(error.details["field"]).startswith(field)
    assert f"xx.yaml: rule {error.details['rule']}: {error.details['field']}: " in error.message
    assert re.search(says, error.message), error.message


def test_a_rule_without_an_id_is_named_by_its_place(load: Load) -> None:
    error = refusal(load, GOOD.replace("- id: xx-night\n  kind", "- kind"))
    assert (error.details["rule"], error.details["field"]) == ("#1", "id")


def test_every_problem_is_listed(load: Load) -> None:
    second = GOOD.replace("rules:\n", "").replace("xx-night", "xx-second").replace("severity: high", "severity: odd")
    error = refusal(load, GOOD.replace("action: defer", "action: wait") + second.lstrip("\n"))
    assert "xx-night: action" in error.message
    assert "xx-second: severity" in error.message


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    with pytest.raises(InvalidConfiguration, match=r"b\.yaml: rule xx-night: id: is already defined in a\.yaml"):
        load_rule_set([tmp_path])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "one key, `rules`"),
        ("rules: none", "one key, `rules`"),
        ("rules: []\nextra: 1", "one key, `rules`"),
        ("- 1", "one key, `rules`"),
        ("rules: [", "xx.yaml: while parsing"),
        ("rules: [1]", "rule #1"),
        ("rules: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        (GOOD.replace("  severity: high\n", "  severity: high\n  severity: low\n"), "'severity' appears twice"),
        ("rules: " + "[" * 5000, "xx.yaml: "),
        ("rules: \x00", "xx.yaml: "),
        ("#" * (MAX_FILE_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_is_no_rule_file_is_refused(load: Load, text: str, says: str) -> None:
    assert says in refusal(load, text).message


def test_missing_paths_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="no such rule file"):
        load_rule_set([tmp_path / "absent.yaml"])
    with pytest.raises(InvalidConfiguration, match="no rule files"):
        load_rule_set([tmp_path])
    (tmp_path / "bad.yaml").write_bytes(b"rules: \xff\xfe")
    with pytest.raises(InvalidConfiguration, match=r"bad\.yaml"):
        load_rule_set([tmp_path])


def test_a_cap_needs_a_limit_and_a_window(load: Load) -> None:
    caps = GOOD.replace("kind: quiet_hours", "kind: frequency_cap").replace(
        "{start: 08:00, end: 21:00, tz: Europe/Oslo}", "{caps: [{limit: 1, per: 24h}]}"
    )
    assert len(load(caps).rules) == 1
    assert "per" in str(refusal(load, caps.replace("per: 24h", "per: fortnight")).details["field"])
    assert "one year" in refusal(load, caps.replace("per: 24h", "per: 2y")).message
    assert "limit" in str(refusal(load, caps.replace("limit: 1", "limit: 0")).details["field"])
    assert "at least one" in refusal(load, caps.replace("[{limit: 1, per: 24h}]", "[]")).message


def test_every_fault_of_a_rule_is_told_with_its_line(load: Load) -> None:
    text = (
        GOOD.replace("{start: 08:00, end: 21:00, tz: Europe/Oslo}", "\n    start: late\n    colour: red")
        .replace("severity: high", "severity: odd")
        .replace("  source: the gazette\n", "")
    )
    problems = refusal(load, text).details["problems"]
    assert isinstance(problems, list)
    lines = text.splitlines()
    told = {problem["field"]: lines[problem["line"] - 1].strip() for problem in problems}
    assert told == {
        "parameters.start": "start: late",
        "parameters.colour": "colour: red",
        "severity": "severity: odd",
        "source": "- id: xx-night",
    }


def test_faults_deep_in_lists_have_their_line(load: Load) -> None:
    days = [f"\n    - {{days: [{day}], start: '08:00', end: '{end}:00'}}" for day, end in (("mon", 20), ("tue", 25))]
    windows = "\n    windows:" + "".join(days)
    text = GOOD.replace("{start: 08:00, end: 21:00, tz: Europe/Oslo}", windows)
    (problem,) = refusal(load, text).details["problems"]  # type: ignore[misc]
    assert problem["field"] == "parameters.windows[1].end"
    assert "25:00" in text.splitlines()[problem["line"] - 1]


def test_broken_yaml_has_its_line(load: Load) -> None:
    assert refusal(load, GOOD + "  summary: 'no end").details["line"] == len(GOOD.splitlines()) + 1


def test_few_lines_that_stand_for_countless_values_are_refused(load: Load) -> None:
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "values" in refusal(load, bomb + "rules: [*i]").message
    assert "values" in refusal(load, "rules: &r [*r]").message


def test_a_condition_that_is_wrong_is_a_fault_of_its_field(load: Load) -> None:
    error = refusal(load, GOOD + "  condition: message.chanel == 'sms'\n")
    assert (error.details["field"], error.details["line"]) == ("condition", len(GOOD.splitlines()) + 1)
    assert "undeclared reference to 'message.chanel'" in error.message
