"""The words of the shipped rules are read as what the rules say."""

from __future__ import annotations

import pytest

from chappe.compliance.kinds.opt_out_keyword import KeywordRule
from chappe.compliance.opt_out import Intent, read_reply
from chappe.compliance.rule_sets.rule_set import load_rule_set

RULES = [rule for rule in load_rule_set().rules if isinstance(rule, KeywordRule)]


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_its_words_are_understood_there(rule: KeywordRule) -> None:
    for word in rule.parameters.keywords:
        reply = read_reply(word.replace("<sender>", "Acme Shop"), jurisdiction=rule.jurisdiction)
        assert reply.intent is Intent(rule.parameters.intent), word
        assert reply.certain
    for word in rule.parameters.also:
        assert read_reply(word, jurisdiction=rule.jurisdiction).intent is Intent.HELP


def test_there_are_such_rules() -> None:
    assert len(RULES) >= 8
