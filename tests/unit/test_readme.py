"""What the README counts is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from chappe.classify.templates import read_templates
from chappe.compliance.opt_out.tables import languages
from chappe.compliance.rule_sets.rule_set import load_rule_set

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def counted(words: str) -> list[int]:
    """The numbers before words of the README, `N` standing for each number."""
    found = re.search(words.replace("N", r"([\d,]+)"), README)
    assert found is not None, f"the README does not say {words!r}"
    return [int(number.replace(",", "")) for number in found.groups()]


def test_the_rules_that_are_shipped() -> None:
    rules = load_rule_set().rules
    assert counted("N rules of N jurisdictions") == [len(rules), len({rule.jurisdiction for rule in rules})]


def test_the_templates_of_the_corpus() -> None:
    templates = read_templates(ROOT / "corpus")
    there = [len(templates), len({template.language for template in templates})]
    assert counted("N message templates in N languages") == there


def test_the_languages_in_which_people_say_stop() -> None:
    assert counted("STOP, HELP and START in N languages") == [len(languages())]


def test_the_example_messages() -> None:
    assert counted("N example messages") == [len((ROOT / "examples" / "messages.jsonl").read_text().splitlines())]


def test_the_files_it_leads_to() -> None:
    for page in re.findall(r"\]\(([^):]+)\)", README):
        assert (ROOT / page).exists(), page
