"""How rules, versions and what they would change look on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import yaml
from rich.table import Table
from rich.text import Text

from chappe.cli.output import messages

if TYPE_CHECKING:
    from chappe.compliance.rule_sets.trying import Trial
    from chappe.compliance.rule_sets.trying_duties import DutyTrial

_OUTCOME_STYLES = {"allow": "green", "defer": "yellow", "block": "magenta"}
_CHANGE_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
_YAML_WIDTH = 110


def rule_table(rules: Sequence[dict[str, Any]]) -> Table:
    """The rules, one a row."""
    table = Table("id", "kind", "jurisdiction", "channels", "applies to", "action", "summary")
    for rule in rules:
        table.add_row(
            rule["id"],
            rule["kind"],
            rule["jurisdiction"],
            ", ".join(rule["channels"]),
            rule["applies_to"],
            rule["action"],
            rule["summary"],
            style=None if rule["enabled"] else "dim",
        )
    return table


def version_table(versions: Sequence[dict[str, Any]]) -> Table:
    """The versions, one a row."""
    table = Table("version", "in force for", "origin", "base", "rules", "created", "by", "reason")
    for version in versions:
        in_force_for = version["in_force_for"]
        table.add_row(
            str(version["version"]),
            in_force_for,
            version["origin"],
            str(version.get("base", "")),
            str(version["rule_count"]),
            _moment(version["created_at"]),
            version["author"]["name"],
            Text(version["author"]["reason"]),
            style={"everyone": "green", "some": "yellow"}.get(in_force_for),
        )
    return table


def history_table(activations: Sequence[dict[str, Any]]) -> Table:
    """The activations, one a row."""
    table = Table("at", "what", "in force", "by", "reason")
    for activation in activations:
        author = activation["author"]
        kind = activation["kind"].replace("_", " ")
        row = (_moment(activation["at"]), kind, _in_force(activation), author["name"], Text(author["reason"]))
        table.add_row(*row)
    return table


def activation_line(activation: dict[str, Any]) -> str:
    """What is in force now."""
    return f"in force: {_in_force(activation)}"


def problem_table(problems: Sequence[dict[str, Any]]) -> Table:
    """What is wrong, one problem a row."""
    table = Table("file", "line", "rule", "field", "problem")
    for problem in problems:
        line = str(problem.get("line", ""))
        place = (problem["file"], line, problem.get("rule", ""), problem.get("field", ""))
        table.add_row(*place, Text(problem["text"]))
    return table


def trial_table(trials: Sequence[Trial | DutyTrial]) -> Table:
    """Examples that are not true."""
    table = Table("rule", "is said to come to", "comes to", "why it should", "why it does not")
    for trial in trials:
        told, found = str(trial.example.says), str(trial.found)
        table.add_row(trial.rule_id, told, found, Text(trial.example.why), Text(trial.reason))
    return table


def change_table(changes: Sequence[dict[str, Any]]) -> Table:
    """The rules that differ, and in which fields."""
    table = Table("rule", "change", "field", "before", "after")
    for change in changes:
        style = _CHANGE_STYLES[change["kind"]]
        if not change["fields"]:
            table.add_row(change["id"], Text(change["kind"], style), "", "", Text(change["summary"]))
        for number, field in enumerate(change["fields"]):
            head = ("", Text("")) if number else (change["id"], Text(change["kind"], style))
            table.add_row(*head, field["field"], Text(_value(field["before"])), Text(_value(field["after"])))
    return table


def comparison_tables(found: dict[str, Any]) -> Iterator[Table]:
    """The counts of a comparison, each table only if it has rows."""
    if found["by_outcome"]:
        table = Table("before", "after")
        table.add_column("decisions", justify="right")
        for entry in found["by_outcome"]:
            table.add_row(_outcome(entry["before"]), _outcome(entry["after"]), str(entry["count"]))
        yield table
    if found["by_rule"]:
        table = Table("rule", "said", "says")
        table.add_column("decisions", justify="right")
        for entry in found["by_rule"]:
            table.add_row(entry["id"], _outcome(entry["before"]), _outcome(entry["after"]), str(entry["count"]))
        yield table
    changed = [entry for entry in found["by_jurisdiction"] if entry["changed"]]
    if changed:
        table = Table("jurisdiction")
        table.add_column("changed", justify="right")
        table.add_column("of", justify="right")
        for entry in changed:
            table.add_row(entry["jurisdiction"] or "unknown", str(entry["changed"]), str(entry["decisions"]))
        yield table


def decision_table(examples: Sequence[dict[str, Any]]) -> Table:
    """Examples of decisions that would change."""
    table = Table("message", "decided at", "where", "channel", "before", "after", "because")
    for example in examples:
        rules = "; ".join(f"{rule['id']}: {rule['reason']}" for rule in example["rules"])
        table.add_row(
            example["message_id"],
            _moment(example["at"]),
            example.get("jurisdiction", "unknown"),
            example["channel"],
            _outcome(example["before"]),
            _outcome(example["after"]),
            Text(rules),
        )
    return table


def dry_run_table(lines: Sequence[int], decisions: Sequence[dict[str, Any]]) -> Table:
    """What is decided of each message now and would be decided, and by which rules."""
    table = Table("line", "now", "then", "because")
    for line, decision in zip(lines, decisions, strict=True):
        after = decision["after"]
        rules = (f"{rule['id']}: {rule['reason']}" for rule in after["rules"] if rule["outcome"] != "allow")
        table.add_row(
            str(line),
            _outcome(decision["before"]["outcome"]),
            _outcome(after["outcome"]),
            Text("; ".join(rules)),
            style=None if decision["changed"] else "dim",
        )
    return table


def rule_text(found: dict[str, Any]) -> str:
    """A rule as it would be written in a rule file."""
    heading = f"# version {found['version']}\n"
    if found.get("condition_failures"):
        heading += f"# its condition could not be answered {found['condition_failures']} times\n"
    return heading + _yaml([found["rule"]])


def version_text(found: dict[str, Any]) -> str:
    """A version as a rule file."""
    about = found["rule_set"]
    author = about["author"]
    heading = f"# version {about['version']}, {_moment(about['created_at'])}, {author['name']}: {author['reason']}"
    return " ".join(heading.split()) + "\nrules:\n" + _yaml(found["rules"])


def warn(warnings: Sequence[str]) -> None:
    """Each warning in a line on standard error."""
    for warning in warnings:
        messages().print(Text(f"warning: {warning}"))


def _yaml(rules: list[dict[str, Any]]) -> str:
    text: str = yaml.safe_dump(rules, sort_keys=False, allow_unicode=True, width=_YAML_WIDTH)
    return text.rstrip()


def _in_force(activation: dict[str, Any]) -> str:
    text = f"version {activation['version']}"
    staged = activation.get("staged")
    if staged is None:
        return text
    whom = f"{staged['percent']:g} %" if staged.get("percent", 100) < 100 else "everybody"
    places = f" in {', '.join(staged['jurisdictions'])}" if staged.get("jurisdictions") else ""
    return f"{text}, and version {staged['version']} for {whom}{places}"


def _outcome(outcome: str) -> Text:
    return Text(outcome, style=_OUTCOME_STYLES.get(outcome, ""))


def _value(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=_YAML_WIDTH)
    return text.removesuffix("...\n").strip()


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"
