"""Two opinions side by side: the table asks about the same messages as the server does."""

from __future__ import annotations

from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Verdict
from chappe.classify.training.comparison import compared
from chappe.classify.training.examples import Example


def _verdict(probability: float, grams: int = 3) -> Verdict:
    rest = (1 - probability) / (len(LABELS) - 1)
    shares = tuple(probability if label is Label.SPAM else rest for label in LABELS)
    return Verdict(Label.SPAM, probability, shares, None, grams)


def test_only_the_uncertain_get_a_second_opinion_and_a_verdict_on_no_word_is_one() -> None:
    sure, weak, split, wordless = _verdict(0.95), _verdict(0.6), _verdict(0.28), _verdict(0.99, grams=0)
    examples = [Example(str(number), Label.TRANSACTIONAL, str(number)) for number in range(4)]
    other = tuple(float(label is Label.TRANSACTIONAL) for label in LABELS)
    first, silent, alone, together, _ = compared(examples, [sure, weak, split, wordless], [other] * 4)
    assert first.figures.accuracy.count == 0
    assert (silent.covered.count, silent.covered.of) == (1, 4)
    assert alone.figures.accuracy.count == 4
    assert together.figures.accuracy.count == 3, "all but the sure one"
