"""The model in use: cached without ever being wrong, swapped in one step, compared with another in its shadow."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.classify.cache import Cached
from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Label
from chappe.classify.serving import DISAGREEMENTS_KEPT, Serving

from .tiny import CODE, PLAIN, PROMOTION, SPAM, model

WORDS = st.sampled_from(
    ["code", "Code", "sale", "buy", "SAVE", "prize", "winner", "hello", "123456", "7", "!", "\u00e9", "\n"]
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
ASKED = st.lists(st.tuples(TEXTS, st.none() | st.sampled_from(["receipt", "otp", "news"])), max_size=60)
STRANGER = model(sale={0: 2_000}, buy={0: 2_000}, save={0: 2_000})
"""Takes promotions for transactional messages."""


@settings(deadline=None)
@given(asked=ASKED, entries_max=st.integers(min_value=1, max_value=8))
def test_a_hit_is_what_a_fresh_verdict_would_be(asked: list[tuple[str, str | None]], entries_max: int) -> None:
    judge = model()
    cached = Cached(judge, entries_max)
    for text, template in asked:
        assert cached.judge(text, template) == judge.judge(fingerprint(text))
        for table in (cached._by_text, cached._by_print, cached._by_template):
            assert len(table) <= entries_max  # type: ignore[arg-type]
    assert cached.hits + cached.misses == len(asked)


def test_a_template_outlives_a_flood_of_other_texts() -> None:
    cached = Cached(model(), entries_max=10)
    first = cached.judge("Your code is 111111", "otp")
    for number in range(50):
        cached.judge(f"hello {'x' * number}")
    misses = cached.misses
    assert cached.judge("Your code is 222222", "otp") == first
    assert cached.misses == misses


def test_the_id_of_a_template_does_not_vouch_for_a_text() -> None:
    cached = Cached(model())
    assert cached.judge(CODE, "otp").label is Label.TRANSACTIONAL
    assert cached.judge(PROMOTION, "otp").label is Label.PROMOTIONAL


def test_from_a_swap_on_the_new_model_judges() -> None:
    serving = Serving(model())
    assert serving.judge(PROMOTION).label is Label.PROMOTIONAL
    serving.use(STRANGER)
    assert serving.judge(PROMOTION).label is Label.TRANSACTIONAL
    assert serving.model is STRANGER
    serving.use(model())
    assert serving.judge(PROMOTION).label is Label.PROMOTIONAL


def test_using_what_is_in_use_keeps_its_cache() -> None:
    serving = Serving(model())
    serving.judge(CODE)
    serving.use(model())
    serving.judge(CODE)
    assert (serving.hits, serving.misses) == (1, 1)


def test_a_shadow_is_compared_and_decides_nothing() -> None:
    serving = Serving(model())
    serving.use(model(), STRANGER)
    for number, text in enumerate((CODE, PROMOTION, SPAM, PROMOTION)):
        verdict = serving.judge(text)
        serving.compare(text, None, verdict, f"msg_{number}", number)
    assert serving.judge(PROMOTION).label is Label.PROMOTIONAL
    shadow = serving.shadow
    assert shadow is not None
    assert (shadow.compared, shadow.disagreed) == (4, 2)
    assert [entry.message for entry in shadow.disagreements(10)] == ["msg_3", "msg_1"]
    newest = shadow.disagreements(1)[0]
    assert (newest.label, newest.shadow_label, newest.at_ms) == (Label.PROMOTIONAL, Label.TRANSACTIONAL, 3)
    assert (Label.PROMOTIONAL, Label.TRANSACTIONAL, 2) in [(c.label, c.shadow_label, c.count) for c in shadow.counts()]


def test_the_list_of_disagreements_is_bounded_and_their_count_is_not() -> None:
    serving = Serving(model())
    serving.use(model(), STRANGER)
    verdict = serving.judge(PROMOTION)
    for number in range(DISAGREEMENTS_KEPT + 50):
        serving.compare(PROMOTION, None, verdict, f"msg_{number}", number)
    assert serving.shadow is not None
    assert serving.shadow.disagreed == DISAGREEMENTS_KEPT + 50
    kept = serving.shadow.disagreements(10_000)
    assert len(kept) == DISAGREEMENTS_KEPT
    assert kept[0].message == f"msg_{DISAGREEMENTS_KEPT + 49}"


@pytest.mark.parametrize("keep", [True, False])
def test_counts_begin_anew_when_one_of_the_two_changes(keep: bool) -> None:
    serving = Serving(model())
    serving.use(model(), STRANGER)
    serving.compare(PLAIN, None, serving.judge(PLAIN), "msg_0", 0)
    serving.use(model() if keep else model(other={0: 1}), STRANGER)
    assert serving.shadow is not None
    assert serving.shadow.compared == (1 if keep else 0)
    serving.use(serving.model)
    assert serving.shadow is None
