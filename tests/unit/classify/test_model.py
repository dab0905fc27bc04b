"""What a verdict rests on."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.classify.tiny import CODE, PROMOTION, weights

from chappe.classify.drift import Drift
from chappe.classify.fingerprint import fingerprint, grams
from chappe.classify.labels import Label
from chappe.classify.model import Model, Weights
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


WORDS = ("sale", "code", "payments", "paypal", "bestätigung", "платежами", "0", "0%", "^short", "^!")


@given(st.lists(st.sampled_from([*WORDS, "unheard"]), max_size=30))
def test_what_is_weighed_is_each_known_gram_once(words: list[str]) -> None:
    known = {*WORDS, "payme-", "bestä-", "плате-", *map(" ".join, pairwise(WORDS)), "sale sale"}
    values = {gram: (place, -place, 0, 0, 1, 2, 3, 4, 5) for place, gram in enumerate(sorted(known))}
    model = Model(Weights(values, [0.5] * 9), "test")
    printed = " ".join(words).encode()
    met = [gram.decode() for gram in grams(printed) if gram.decode() in known]
    count, scores = model.scores(printed)
    assert count == len(met)
    weight = sum(values[gram][0] for gram in met) / 64 / max(len(met), 1) ** 0.5
    assert scores[:3] == pytest.approx([0.5 + weight, 0.5 - weight, 0.5])
    has_word = any("^" not in gram and any(map(str.isalpha, gram)) for gram in met)
    assert model.judge(printed).grams == (count if has_word else 0)
