from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.classify.training import near_duplicates
from chappe.classify.training.near_duplicates import alike_pairs, overlap, shingles

_BILL = "Your electricity bill for March is ready, please pay {} before the twelfth to avoid a late fee"
_WORDS = ("pay", "bill", "now", "order", "shop", "late", "fee", "code", "parcel", "bank", "call", "win")
_words = st.lists(st.sampled_from(_WORDS), max_size=12)


def test_fillings_of_a_template_are_a_group_and_others_are_not() -> None:
    texts = [_BILL.format("Rs.120"), "Tea at four?", _BILL.format("Rs.97"), _BILL.format("a rest"), "Dinner at nine?"]
    groups = near_duplicates.groups(texts)
    assert groups == [0, 1, 0, 0, 4]


def test_a_chain_of_small_changes_is_one_group() -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    texts = [" ".join(words[start : start + 7]) for start in range(4)]
    assert overlap(shingles(texts[0]), shingles(texts[3])) < 0.5
    assert set(near_duplicates.groups(texts)) == {0}


@settings(max_examples=50, deadline=None)
@given(st.lists(_words.map(" ".join), max_size=15))
def test_no_pair_is_named_wrongly_and_equal_texts_are_never_missed(texts: list[str]) -> None:
    for left, right in alike_pairs(texts):
        assert overlap(shingles(texts[left]), shingles(texts[right])) >= near_duplicates.ALIKE
    groups = near_duplicates.groups(texts)
    for place, text in enumerate(texts):
        assert groups[place] == groups[texts.index(text)]
