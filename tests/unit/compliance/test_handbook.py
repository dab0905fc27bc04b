"""The pages of the shipped rules."""

from __future__ import annotations

from pathlib import Path

from chappe.compliance.handbook import packaged_pages
from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules

FOLDER = Path(__file__).parents[3] / "docs" / "rules"
RULES: list[AnyRule] = read_rules(packaged_rule_files())


def test_the_pages_are_current() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert written == packaged_pages(), "run: make docs"


def test_every_rule_is_on_a_page_with_its_source_and_examples() -> None:
    text = "\n".join(packaged_pages().values())
    for rule in RULES:
        assert f"## {rule.id}\n" in text
        for example in rule.examples:
            assert " ".join(example.why.split()).replace("|", "\\|") in text


def test_every_rule_has_an_example_that_it_decides_and_one_that_it_lets_pass() -> None:
    for rule in RULES:
        # A request for erasure that is still in time is what lets a controller pass.
        passes = {"due"} if rule.kind == "erasure" else {"allow", "free", "keep"}
        said = {str(example.says) for example in rule.examples}
        assert len(said) > 1, f"{rule.id}: {said or 'no examples'}"
        assert said & passes, f"{rule.id}: no example passes"
