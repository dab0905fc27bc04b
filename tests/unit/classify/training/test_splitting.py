from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Label
from chappe.classify.training import splitting
from chappe.classify.training.examples import Example
from chappe.model.errors import InvalidConfiguration

_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty", "knoll", "ledge")
_texts = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6).map(" ".join)


def _example(text: str, label: Label = Label.PROMOTIONAL, group: str = "") -> Example:
    return Example(text, label, group)


def _many(count: int) -> list[Example]:
    labels = (Label.PROMOTIONAL, Label.TRANSACTIONAL)
    return [
        Example(f"{_WORDS[place % 12]} {_WORDS[place // 12]} {filling}", labels[place % 2], str(place))
        for place in range(count)
        for filling in ("x", "y")
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(_texts, st.sampled_from(["", "a", "b"])), max_size=20))
def test_what_has_one_fingerprint_has_one_group_whatever_it_was_called(given: list[tuple[str, str]]) -> None:
    found = splitting.grouped([_example(text, group=group) for text, group in given])
    by_print: dict[bytes, str] = {}
    for example in found:
        assert example.group
        assert by_print.setdefault(fingerprint(example.text), example.group) == example.group


def test_groups_that_share_a_text_become_one() -> None:
    pairs = [("a one", "1"), ("b two", "1"), ("b two", "2"), ("c three", "2"), ("d four", "3")]
    groups = [example.group for example in splitting.grouped([_example(text, group=group) for text, group in pairs])]
    assert len({*groups[:4]}) == 1
    assert groups[4] != groups[0]


def test_no_group_is_on_both_sides() -> None:
    examples = _many(40)
    held_out: list[int] = []
    for seen, unseen in splitting.folds(examples):
        assert not {examples[place].group for place in seen} & {examples[place].group for place in unseen}
        held_out += [int(place) for place in unseen]
    assert sorted(held_out) == list(range(len(examples)))


def test_a_source_is_held_out_with_the_groups_it_shares() -> None:
    examples = [
        Example("a", Label.SPAM, "1", source="one"),
        Example("b", Label.SPAM, "1", source="two"),
        Example("c", Label.SPAM, "2", source="two"),
    ]
    found = {source: (list(seen), list(unseen)) for source, seen, unseen in splitting.by_source(examples)}
    assert found["one"] == ([2], [0])


def _of_two_hands() -> list[Example]:
    """Two hands in one language and one in another, three subjects, and chat as a subject of one class."""
    out = []
    for number in range(120):
        for hand, language in (("en", "en"), ("en-b", "en"), ("de", "de")):
            subject = ("bank", "chat", "shop", "train")[number % 4]
            label = Label.CONVERSATIONAL if subject == "chat" else (Label.SPAM, Label.PROMOTIONAL)[number // 4 % 2]
            out.append(Example("", label, f"{hand}{number}", source=hand, subject=subject, language=language))
    return out


def test_strangers_share_neither_hand_nor_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "STRANGERS_GROUPS_MIN", 200)
    examples = _of_two_hands()
    held_out: list[int] = []
    for seen, unseen in splitting.strangers(examples):
        known = {(examples[place].source, examples[place].subject) for place in seen}
        for place in unseen:
            entry = examples[place]
            assert entry.source not in {source for source, _ in known}
            # Chat is all there is of its class, so only who wrote it is held out.
            assert entry.subject == "chat" or entry.subject not in {subject for _, subject in known}
        assert "chat" in {subject for _, subject in known}
        held_out += [int(place) for place in unseen]
    assert sorted(held_out) == [place for place, entry in enumerate(examples) if entry.language == "en"]


def test_where_all_is_of_one_origin_there_are_no_strangers() -> None:
    assert splitting.strangers(_many(40)) == []
    assert splitting.strangers(_of_two_hands()) == []


def test_too_few_groups_are_refused_and_named() -> None:
    examples = _many(40)[: 2 * 19]
    with pytest.raises(InvalidConfiguration, match="transactional has 9"):
        splitting.check(examples)
    splitting.check(_many(40))


def test_one_class_is_nothing_to_tell_apart() -> None:
    with pytest.raises(InvalidConfiguration, match="two classes"):
        splitting.check([_example(str(number), group=str(number)) for number in range(30)])


def test_groups_weigh_the_same_and_classes_by_the_root_of_their_groups() -> None:
    examples = [
        *[_example("a", Label.SPAM, "1")] * 8,
        *[_example(word, Label.SPAM, word) for word in _WORDS[:3]],
        _example("b", Label.PROMOTIONAL, "3"),
    ]
    weights = splitting.group_weights(examples)
    assert weights[:8].sum() == pytest.approx(weights[8])
    assert weights[:11].sum() == pytest.approx(2 * weights[11])
    assert weights.mean() == pytest.approx(1)


def test_a_group_weighs_by_its_weight() -> None:
    hard = msgspec.structs.replace(_example("a", Label.SPAM, "1"), weight=0.25)
    weights = splitting.group_weights([hard, hard, _example("b", Label.SPAM, "2")])
    assert weights[:2].sum() == pytest.approx(weights[2] / 4)
