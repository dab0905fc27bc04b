"""What a verdict rests on."""

from __future__ import annotations

import pytest
from tests.unit.classify.tiny import CODE, PROMOTION, weights

from chappe.classify.drift import Drift
from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Label
from chappe.classify.model import Model
from chappe.classify.policy import Policy, is_uncertain, suspected

MARKED = Model(weights(**{"^short": {1: 2_000}, "^!": {1: 2_000}, "0%": {1: 2_000}, "0": {1: 2_000}}), "marked")
"""Of it, whatever is short and loud is a promotion."""


@pytest.mark.parametrize("text", ["ታላቅ ቅናሽ!", "Ωμέγα προσφορά 50%!", "50% 20!", "...!"])
def test_a_verdict_without_any_word_is_uncertain_and_gives_no_cause(text: str) -> None:
    verdict = MARKED.judge(fingerprint(text))
    assert verdict.label is Label.PROMOTIONAL
    assert verdict.probability > 0.9
    assert verdict.grams == 0
    assert is_uncertain(verdict)
    assert suspected(Policy(), verdict, declared_promotional=False) is None
    drift = Drift()
    drift.note("acme", verdict, None, declared_promotional=False)
    assert drift.senders()[0].uncertain == 1


@pytest.mark.parametrize("text", [PROMOTION, "sale!", "sale " + "0 " * 40 + "!"])
def test_one_word_is_enough_to_go_by(text: str) -> None:
    verdict = MARKED.judge(fingerprint(text))
    assert verdict.grams > 0
    assert not is_uncertain(verdict)
    assert suspected(Policy(), verdict, declared_promotional=False) is not None


def test_the_grams_are_counted() -> None:
    known = MARKED.judge(fingerprint(CODE)).grams
    assert known == 3  # code, valid, 0
