from __future__ import annotations

import math

import pytest

from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Verdict
from chappe.classify.training.evaluation import Share, figures_document, figures_of
from chappe.classify.training.examples import Example


def _verdict(*shares: float) -> Verdict:
    label = LABELS[shares.index(max(shares))]
    return Verdict(label, max(shares), shares, None, 1)


def test_intervals_are_those_of_wilson() -> None:
    # Wilson (1927) for 8 of 10, as tables have it.
    low, high = Share(8, 10).interval
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert Share(0, 50).interval[0] == 0
    assert math.isnan(Share(0, 0).value)


def test_figures_count_what_was_called_what() -> None:
    examples = [Example("", label, str(n)) for n, label in enumerate([*[LABELS[0]] * 4, *[LABELS[1]] * 2, LABELS[2]])]
    verdicts = [
        *[_verdict(0.9, 0.1, 0, 0)] * 3,
        _verdict(0.2, 0.8, 0, 0),
        _verdict(0.3, 0.7, 0, 0),
        _verdict(0.1, 0.3, 0.6, 0),
        _verdict(0, 0, 1, 0),
    ]
    found = figures_of(examples, verdicts)
    assert found.confusion[0] == (3, 1, 0, 0)
    assert found.confusion[1] == (0, 1, 1, 0)
    assert (found.accuracy.count, found.accuracy.of) == (5, 7)
    # What reads as spam leans to promotional here, so of the two it is that.
    assert (found.two_class.count, found.two_class.of) == (5, 6)
    assert (found.false_positives.count, found.false_positives.of) == (1, 4)
    by_label = {entry.label: entry for entry in found.classes}
    assert by_label[Label.PROMOTIONAL].f1 == pytest.approx(0.5)
    assert by_label[Label.SPAM].f1 == pytest.approx(2 / 3)
    assert found.macro_f1 == pytest.approx((6 / 7 + 1 / 2 + 2 / 3) / 3)


def test_confidence_that_is_right_as_often_as_it_says_is_calibrated() -> None:
    examples = [Example("", LABELS[0 if n < 8 else 1], str(n)) for n in range(10)]
    assert figures_of(examples, [_verdict(0.8, 0.2, 0, 0)] * 10).calibration_error == pytest.approx(0)
    assert figures_of(examples, [_verdict(1.0, 0, 0, 0)] * 10).calibration_error == pytest.approx(0.2)


def test_the_document_has_no_numbers_that_json_lacks() -> None:
    document = figures_document(figures_of([Example("", Label.SPAM, "1")], [_verdict(0, 0, 1, 0)]))
    assert document["false_positives"] == {"share": None, "low": None, "high": None, "of": 0}
