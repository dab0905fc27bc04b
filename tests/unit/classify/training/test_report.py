"""The page on real messages: what is judged was never learnt from, and a missed target is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from chappe.classify.labels import Label
from chappe.classify.model import Verdict
from chappe.classify.training import report
from chappe.classify.training.evaluation import figures_of
from chappe.classify.training.examples import Example

_TEXTS = {
    Label.TRANSACTIONAL: "Receipt {} for your payment of the invoice of {}",
    Label.PROMOTIONAL: "Sale {} with half the price on every {}",
    Label.SPAM: "Prize {} is yours, claim it from the office of {}",
    Label.CONVERSATIONAL: "see you at {} with mum and {}",
}
_NAMES = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty"]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "templates" / "en").mkdir(parents=True)
    (tmp_path / "slots.yaml").write_text('"*": {}\n')
    (tmp_path / "templates" / "en" / "retail.txt").write_text("promotional|sms|*|Sale of lamps\nspam|sms|*|You won\n")
    rows = [
        f"{text.format(name, other)},{label},{source}"
        for label, text in _TEXTS.items()
        for source in ("one", "two")
        for name, other in zip(_NAMES, _NAMES[3:], strict=False)
    ]
    rows.append("Half price on nothing,transactional,one")
    labelled = tmp_path / "real.csv"
    labelled.write_text("text,label,source\n" + "\n".join(row.replace(", ", " ") for row in rows) + "\n")
    return "\n".join(report.report(labelled, tmp_path, None))


def test_it_tells_the_shipped_model_and_what_learning_would_add(page: str) -> None:
    assert "57 messages" in page
    shipped, _, learnt = page.partition("## Once more")
    assert "| one | 29 |" in shipped
    assert "| two, held out |" in learnt
    assert "| held-out groups | 57 |" in learnt
    assert "second opinion" not in page


def test_targets_that_are_missed_are_named() -> None:
    right = figures_of([Example("", label, label) for label in Label], [_sure(label) for label in Label])
    assert "All are met." in report._introduction(Path("a.csv"), "1", "b", right)
    wrong = figures_of([Example("", Label.TRANSACTIONAL, "1")], [_sure(Label.PROMOTIONAL)])
    told = report._introduction(Path("a.csv"), "1", "b", wrong)
    assert "Missed: accuracy, false positives, macro-F1." in told


def _sure(label: Label) -> Verdict:
    shares = tuple(float(other is label) for other in Label)
    return Verdict(label, 1.0, shares, None, 1)
