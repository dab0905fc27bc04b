"""Findings put together into rules: one week of hours out of many, one rule of consent out of its terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from chappe.compliance.drafting.finding import Doubt, Finding, Remark
from chappe.compliance.drafting.proposal import Proposal, quote
from chappe.compliance.drafting.readers.hours import HOURS
from chappe.compliance.drafting.week import Statement, parameters_of
from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule_files.faults import faults_of

CONFIDENCE_MAX = 0.95
CONFIDENCE_MIN = 0.1
_SUMMARY_CHARACTERS_MAX = 200
_SLUG_CHARACTERS_MAX = 32


class Built(msgspec.Struct, frozen=True):
    """Findings that became the parameters of one rule."""

    kind: str
    parameters: dict[str, Any]
    findings: tuple[Finding, ...]
    doubts: tuple[Doubt, ...] = ()


def build(findings: Sequence[Finding]) -> tuple[list[Built], list[Remark]]:
    """What the findings come to, in the order of the text, and those that came to nothing."""
    built: list[Built] = []
    remarks: list[Remark] = []
    for group in _groups([f for f in findings if f.kind == HOURS]):
        try:
            built.append(_hours(group))
        except ValueError as error:
            remarks += [Remark(finding.passage, f"the hours could not be put together: {error}") for finding in group]
    for finding in findings:
        if finding.kind != HOURS:
            _add(built, finding)
    whole = [b for b in built if not all(f.completes for f in b.findings)]
    remarks += [
        Remark(f.passage, f"belongs to a rule ({b.kind}) that was not found")
        for b in built
        if b not in whole
        for f in b.findings
    ]
    return sorted(whole, key=_place), remarks


class Naming(msgspec.Struct, frozen=True):
    """What rules say of the text they are from. `name` is its title, `source` where it is."""

    name: str
    source: str


def propose(built: Iterable[Built], naming: Naming) -> tuple[list[Proposal], list[Remark]]:
    """A proposal for each, with an id of its own; and those that are not valid as rules, with the reason."""
    proposals: list[Proposal] = []
    remarks: list[Remark] = []
    taken: set[str] = set()
    for entry in built:
        rule = _rule(entry, naming, taken)
        try:
            msgspec.convert(rule, AnyRule)
        except msgspec.ValidationError:
            faults = "; ".join(f"{field}: {text}" for field, text in faults_of(rule, AnyRule))
            reason = f"read as {entry.kind}, but that would not be a valid rule: {faults}"
            remarks += [Remark(finding.passage, reason) for finding in entry.findings]
            continue
        taken.add(rule["id"])
        doubts = _doubts(entry)
        confidence = max(CONFIDENCE_MIN, CONFIDENCE_MAX - sum(doubt.weight for doubt in doubts))
        quotes = tuple(dict.fromkeys(quote(finding.passage) for finding in entry.findings))
        texts = tuple(doubt.text for doubt in doubts)
        proposals.append(Proposal(rule["id"], round(confidence, 2), rule, quotes, texts))
    return proposals, remarks


def _groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    found: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.scope.key, finding.parameters.get("tz")), []).append(finding)
    return list(found.values())


def _hours(group: list[Finding]) -> Built:
    statements: list[Statement] = [finding.parameters["statement"] for finding in group]
    only = [statement.days for statement in statements if statement.opens and not statement.spans]
    statements = [
        Statement(True, only[0], s.spans) if only and s.opens and not s.days else s for s in statements if s.spans
    ]
    kind, parameters = parameters_of(statements)
    holidays = "holiday" in (*parameters.get("banned_days", ()), *parameters.get("days", ()))
    doubts: tuple[Doubt, ...] = ()
    if holidays and group[0].scope.jurisdiction == "*":
        parameters = {
            name: [day for day in value if day != "holiday"] if name in ("banned_days", "days") else value
            for name, value in parameters.items()
        }
        parameters = {name: value for name, value in parameters.items() if value}
        doubts = (Doubt(0.2, "public holidays are left out, since it is not known whose"),)
    for name in ("tz", "lifted_by"):
        values = [finding.parameters[name] for finding in group if name in finding.parameters]
        if values:
            parameters[name] = values[0]
    return Built(kind, parameters, tuple(group), doubts)


def _add(built: list[Built], finding: Finding) -> None:
    if not finding.alone:
        for number, other in enumerate(built):
            same = other.kind == finding.kind and other.findings[0].scope.key == finding.scope.key
            if same and not any(f.alone for f in other.findings) and _agree(other.parameters, finding.parameters):
                parameters = {**other.parameters, **finding.parameters}
                built[number] = Built(other.kind, parameters, (*other.findings, finding), other.doubts)
                return
    built.append(Built(finding.kind, dict(finding.parameters), (finding,)))


def _agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in one.keys() & other.keys())


def _place(built: Built) -> tuple[int, str]:
    return min(finding.passage.start for finding in built.findings), built.kind


def _doubts(built: Built) -> list[Doubt]:
    found = [*built.doubts]
    for finding in built.findings:
        found += [*finding.doubts, *finding.scope.doubts]
    return list({doubt.text: doubt for doubt in found}.values())


def _rule(built: Built, naming: Naming, taken: set[str]) -> dict[str, Any]:
    first = built.findings[0]
    scope = first.scope
    labels = dict.fromkeys(f.passage.label or f"line {f.passage.line}" for f in built.findings)
    rule: dict[str, Any] = {
        "id": _id(built.kind, scope.jurisdiction, naming.name, taken),
        "kind": built.kind,
        "jurisdiction": scope.jurisdiction,
        "regulation": naming.name,
        "citation": "; ".join(labels),
        "channels": list(scope.channels),
        "applies_to": scope.applies_to,
    }
    if scope.categories:
        rule["categories"] = list(scope.categories)
    rule |= {
        "parameters": built.parameters,
        "action": first.action,
        "severity": "medium",
        "summary": _shortened(first.passage.text),
        "source": naming.source,
        "source_type": "none",
        "confidence": "from general knowledge",
    }
    if built.parameters:
        rule["unverified_parameters"] = list(built.parameters)
    if scope.effective_from:
        rule["effective_from"] = scope.effective_from
    rule["notes"] = _notes(built)
    return rule


def _notes(built: Built) -> str:
    quotes = dict.fromkeys(f'"{finding.passage.whole}"' for finding in built.findings)
    doubts = [f"In doubt: {doubt.text}." for doubt in _doubts(built)]
    return " ".join([f"Drafted by a program, to be checked, from: {' '.join(quotes)}", *doubts])


def _shortened(text: str) -> str:
    if len(text) <= _SUMMARY_CHARACTERS_MAX:
        return text
    return text[:_SUMMARY_CHARACTERS_MAX].rsplit(" ", 1)[0] + " ..."


def _id(kind: str, jurisdiction: str, name: str, taken: set[str]) -> str:
    words = re.findall(r"[a-z0-9]+", name.lower())
    slug = ""
    for word in words:
        if len(slug) + len(word) > _SLUG_CHARACTERS_MAX:
            break
        slug = f"{slug}-{word}" if slug else word
    place = "world" if jurisdiction == "*" else jurisdiction.lower()
    base = "-".join(part for part in (place, slug, kind.replace("_", "-")) if part)
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found
