"""The shipped rules as pages to read: one per jurisdiction and an index, each rule with its source and its examples.

`python -m chappe.compliance.handbook docs/rules` writes them (`make docs`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule.base import Confidence
from chappe.compliance.rule.duty_examples import DutyExample
from chappe.compliance.rule.examples import Example
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.trying import trials

WORLD = "the whole world"
_INDEX = "README.md"
_DISCLAIMER = (
    "Engineering facts in our own words, not legal advice: have counsel confirm them before relying on them. A\n"
    "rule that is *verified* has a source that states its main parameters; the source may be a law firm or a\n"
    "vendor rather than the statute, and what it did not state is listed as unverified."
)


def pages(rules: Sequence[AnyRule]) -> dict[str, str]:
    """The text of every page by file name."""
    by_place: dict[str, list[AnyRule]] = {}
    for rule in rules:
        by_place.setdefault(rule.jurisdiction, []).append(rule)
    ordered = {place: by_place[place] for place in sorted(by_place)}
    return {_INDEX: _index(ordered)} | {page_of(place): _page(place, listed) for place, listed in ordered.items()}


def page_of(place: str) -> str:
    """The file name of a jurisdiction's page."""
    return ("world" if place == "*" else place.lower()) + ".md"


def _index(by_place: Mapping[str, Sequence[AnyRule]]) -> str:
    rules = [rule for listed in by_place.values() for rule in listed]
    kinds = Counter(rule.kind for rule in rules)
    lines = [
        "# The rules that are shipped",
        "",
        f"{len(rules)} rules of {len(kinds)} kinds for {len(by_place)} jurisdictions. This page and those it leads to",
        "are written by `make docs` from the rule files in `src/chappe/compliance/rules`; every example was run.",
        "",
        _DISCLAIMER,
        "",
        "| jurisdiction | rules | verified |",
        "|---|---|---|",
    ]
    for place, listed in by_place.items():
        verified = sum(rule.confidence is Confidence.VERIFIED for rule in listed)
        lines.append(f"| [{_name(place)}]({page_of(place)}) | {len(listed)} | {verified} |")
    lines += ["", "| kind | rules |", "|---|---|"]
    lines += [f"| {kind} | {count} |" for kind, count in sorted(kinds.items())]
    return "\n".join(lines) + "\n"


def _page(place: str, rules: Sequence[AnyRule]) -> str:
    lines = [f"# Rules: {_name(place)}", "", _DISCLAIMER, ""]
    for rule in rules:
        lines += [*_rule(rule), ""]
    return "\n".join(lines).rstrip() + "\n"


def _rule(rule: AnyRule) -> list[str]:
    lines = [f"## {rule.id}", "", rule.summary, ""]
    facts = {
        "kind": rule.kind,
        "regulation": f"{rule.regulation}, {rule.citation}",
        "binds": _binds(rule),
        "if not kept": str(rule.action),
        "severity": str(rule.severity),
        "confidence": str(rule.confidence),
        "source": f"{rule.source} ({rule.source_type})",
    }
    if rule.unverified_parameters:
        facts["not verified"] = ", ".join(rule.unverified_parameters)
    if rule.condition:
        facts["condition"] = f"`{rule.condition}`"
    if rule.notes:
        facts["notes"] = rule.notes
    if not rule.enabled:
        facts["enabled"] = "no: listed, and decides nothing until it is enabled"
    lines += ["| | |", "|---|---|", *(f"| {name} | {_cell(text)} |" for name, text in facts.items())]
    parameters = _stated(rule.parameters)
    if parameters:
        lines += ["", "```yaml", _yaml(parameters), "```"]
    if rule.examples:
        lines += ["", "| example | told | given |", "|---|---|---|"]
        lines += [_example(trial.example, trial.as_told) for trial in trials(rule)]
    return lines


def _binds(rule: AnyRule) -> str:
    purposes = "messages of both purposes" if rule.applies_to == "both" else f"{rule.applies_to} messages"
    text = f"{purposes} by {', '.join(rule.channels)}"
    if rule.categories:
        text += f", of the category {' or '.join(rule.categories)}"
    if rule.effective_from:
        text += f", from {rule.effective_from}"
    if rule.effective_until:
        text += f", until before {rule.effective_until}"
    return text


def _example(example: Example | DutyExample, as_told: bool) -> str:
    if not as_told:
        raise ValueError(f"an example does not come out as told: {example.why}")
    given = {
        name: value
        for name, value in msgspec.to_builtins(example).items()
        if name not in ("says", "why") and value not in (None, {}, "")
    }
    return f"| {_cell(example.why)} | **{example.says}** | {_given(given)} |"


def _given(given: Mapping[str, Any]) -> str:
    if not given:
        return "nothing in particular"
    text = msgspec.json.encode(given).decode()
    return "`" + text[1:-1].replace("|", "\\|").replace("`", "'") + "`"


def _stated(value: Any) -> Any:
    """As plain values, without what is as it would be unsaid."""
    if isinstance(value, msgspec.Struct):
        fields = ((field.encode_name, getattr(value, field.name), field) for field in msgspec.structs.fields(value))
        return {name: _stated(held) for name, held, field in fields if field.required or held != _default(field)}
    if isinstance(value, tuple | list):
        return [_stated(entry) for entry in value]
    return msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110).rstrip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _name(place: str) -> str:
    return WORLD if place == "*" else place


def packaged_pages() -> dict[str, str]:
    """The pages of the rules that are shipped."""
    return pages(read_rules(packaged_rule_files()))


def write(folder: Path) -> None:
    """Write the pages; pages of rules that are gone are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = packaged_pages()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    for stale in set(folder.glob("*.md")) - {folder / name for name in written}:
        stale.unlink()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
