"""How well opt-outs are found in texts whose language nobody told. The figures stand in docs/opt-out.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.compliance.opt_out.measuring import DEVELOPED, HELD_OUT, Figures, measure, phrases

from chappe.compliance.opt_out import CERTAIN, POSSIBLE, Intent, read_reply

PAGE = Path(__file__).parents[4] / "docs" / "opt-out.md"

FLOORS = {
    # set, confidence: precision, recall
    (DEVELOPED, CERTAIN): (0.99, 0.92),
    (DEVELOPED, POSSIBLE): (0.99, 0.98),
    (HELD_OUT, CERTAIN): (0.98, 0.93),
    (HELD_OUT, POSSIBLE): (0.98, 0.94),
}


@pytest.fixture(scope="module")
def figures() -> dict[tuple[Path, float], Figures]:
    return {(path, at_least): measure(path, at_least) for path, at_least in FLOORS}


def test_opt_outs_are_found_and_nothing_else(figures: dict[tuple[Path, float], Figures]) -> None:
    for case, (precision, recall) in FLOORS.items():
        assert figures[case].precision >= precision, case
        assert figures[case].recall >= recall, case


def test_the_page_tells_the_figures(figures: dict[tuple[Path, float], Figures]) -> None:
    rows = re.findall(
        r"^\| (developed|held out) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|",
        PAGE.read_text(),
        re.M,
    )
    told = {name: tuple(values) for name, *values in rows}
    for name, path in (("developed", DEVELOPED), ("held out", HELD_OUT)):
        certain, possible = figures[path, CERTAIN], figures[path, POSSIBLE]
        shown = [f"{share:.3f}" for f in (certain, possible) for share in (f.precision, f.recall)]
        assert told[name] == (str(certain.phrases), str(certain.opt_outs), *shown)


def test_the_sets_are_large_varied_and_apart() -> None:
    developed, held_out = list(phrases(DEVELOPED)), list(phrases(HELD_OUT))
    assert len(developed) + len(held_out) >= 800
    assert len({phrase.language for phrase in held_out}) >= 25
    for found in (developed, held_out):
        assert sum(phrase.intent is Intent.NONE for phrase in found) >= 100


def test_the_language_of_a_text_does_not_make_it_worse() -> None:
    told = sum(read_reply(p.text, language=p.language).intent is p.intent for p in phrases(HELD_OUT))
    untold = sum(read_reply(p.text).intent is p.intent for p in phrases(HELD_OUT))
    assert told >= untold - 2
