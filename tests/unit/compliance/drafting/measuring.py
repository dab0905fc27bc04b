"""How well regulations are read: every proposal compared with the rules that a person expects of the text.

A proposal is right if a rule that is expected has the same kind, jurisdiction, channels, purpose, categories, days of
force and parameters; hours are compared as the week they come to. Anything else is wrong, however near.

    python -m tests.unit.compliance.drafting.measuring [development]

lists what is wrong and what is missed in a part that is named. Naming `held_out` ends its being held out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from chappe.compliance.drafting import Draft, draft
from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule.hours_rule import HoursRule

TEXTS = Path(__file__).resolve().parents[3] / "data" / "regulations"
DEVELOPMENT, HELD_OUT = "development", "held_out"
BANDS = ((0.9, 1.0), (0.8, 0.9), (0.0, 0.8))


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A regulation, the rules it holds, and words of passages that have to be listed as not understood."""

    name: str
    text: str
    rules: tuple[dict[str, Any], ...]
    not_understood: tuple[str, ...] = ()


class Outcome(msgspec.Struct):
    """What came of one text."""

    text: Text
    found: Draft
    right: list[float]
    wrong: list[tuple[float, str]]
    missed: list[str]


class Figures(msgspec.Struct, frozen=True):
    texts: int
    expected: int
    proposed: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.proposed if self.proposed else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.expected if self.expected else 1.0


def texts_of(part: str) -> list[Text]:
    found: list[Text] = []
    for file in sorted((TEXTS / part).glob("*.yaml")):
        found += msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), list[Text])
    return found


def measure(text: Text) -> Outcome:
    found = draft(text.text)
    expected = [canonical(rule) for rule in text.rules]
    right, wrong = [], []
    for proposal in found.proposals:
        form = canonical(proposal.rule)
        if form in expected:
            expected.remove(form)
            right.append(proposal.confidence)
        else:
            wrong.append((proposal.confidence, form))
    return Outcome(text, found, right, wrong, expected)


def figures(outcomes: Iterable[Outcome]) -> Figures:
    outcomes = list(outcomes)
    right = sum(len(outcome.right) for outcome in outcomes)
    return Figures(
        texts=len(outcomes),
        expected=sum(len(outcome.text.rules) for outcome in outcomes),
        proposed=right + sum(len(outcome.wrong) for outcome in outcomes),
        right=right,
    )


def canonical(entry: dict[str, Any]) -> str:
    """What of a rule counts, in one form."""
    filled = {"action": _action(entry["kind"]), "id": "x", "regulation": "x", "citation": "x", "severity": "low"}
    filled |= {"summary": "x", "source": "x", "confidence": "house"}
    wanted = ("kind", "jurisdiction", "channels", "applies_to", "categories", "effective_from", "parameters")
    rule = msgspec.convert(filled | {name: entry[name] for name in wanted if name in entry}, AnyRule)
    parameters = msgspec.to_builtins(rule.parameters)
    if isinstance(rule, HoursRule):
        hours = rule.hours()
        parameters = {"week": hours.days, "holidays": hours.holidays is not None and hours.banned_holidays}
        parameters |= {"tz": rule.parameters.tz, "lifted_by": msgspec.to_builtins(rule.parameters.lifted_by)}
    kind = "hours" if isinstance(rule, HoursRule) else rule.kind
    scope = (rule.jurisdiction, sorted(rule.channels), rule.applies_to.value, sorted(rule.categories))
    return f"{kind} {scope} {rule.effective_from or ''} {msgspec.json.encode(parameters, order='sorted').decode()}"


def _action(kind: str) -> str:
    if kind in ("quiet_hours", "day_ban"):
        return "defer"
    return "require" if kind in ("erasure", "retention_min", "retention_max", "record_keeping") else "block"


def _report(part: str, *, verbose: bool) -> None:
    outcomes = [measure(text) for text in texts_of(part)]
    total = figures(outcomes)
    _say(
        f"{part}: {total.texts} texts, {total.expected} rules expected, {total.proposed} proposed, "
        f"{total.right} right, precision {total.precision:.3f}, recall {total.recall:.3f}"
    )
    for low, high in BANDS:
        right = sum(low <= confidence < high for o in outcomes for confidence in o.right)
        wrong = sum(low <= confidence < high for o in outcomes for confidence, _ in o.wrong)
        if right + wrong:
            _say(f"  confidence {low:.1f} to {high:.1f}: {right} of {right + wrong} right")
    unlisted = unlisted_in(outcomes)
    listed = sum(len(outcome.found.not_understood) for outcome in outcomes)
    _say(f"  said to be not understood: {listed}; not listed though it should be: {len(unlisted)}")
    if not verbose:
        return
    for outcome in outcomes:
        for _, form in outcome.wrong:
            _say(f"    {outcome.text.name}: wrong  {form}")
        for form in outcome.missed:
            _say(f"    {outcome.text.name}: missed {form}")
    for name, words in unlisted:
        _say(f"    {name}: not listed: {words}")


def unlisted_in(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    """Passages that have to be told as not understood, and are not."""
    return [(o.text.name, words) for o in outcomes for words in o.text.not_understood if not _is_listed(words, o.found)]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _is_listed(words: str, found: Draft) -> bool:
    return any(words in entry.passage.text for entry in found.not_understood)


if __name__ == "__main__":
    for part in (DEVELOPMENT, HELD_OUT):
        _report(part, verbose=part in sys.argv[1:])
