"""What the corpus has to have, and that it does not repeat itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from chappe.classify.labels import Kind, Label
from chappe.classify.templates import Filler, Template, generate, read_templates
from chappe.classify.training import near_duplicates

CORPUS = Path(__file__).parents[3] / "corpus"
INDUSTRIES = {
    "finance",
    "healthcare",
    "retail",
    "telecom",
    "travel",
    "logistics",
    "education",
    "government",
    "utilities",
    "food",
    "gaming",
    "social",
    "real-estate",
    "insurance",
    "jobs",
}
ALIKE_SHARE_MAX = 0.03


@pytest.fixture(scope="module")
def templates() -> list[Template]:
    return read_templates(CORPUS)


def test_it_is_large_and_broad(templates: list[Template]) -> None:
    assert len(templates) >= 4_000
    languages = Counter(template.language for template in templates)
    assert len(languages) >= 10
    assert languages.most_common(1)[0][0] == "en"
    by_industry = Counter(template.industry for template in templates)
    assert {industry: by_industry[industry] for industry in INDUSTRIES if by_industry[industry] < 40} == {}
    assert {template.channel for template in templates} == {"sms", "email", "push"}
    assert len({template.region for template in templates}) >= 10


def test_every_class_and_kind_is_there_and_so_are_hard_cases(templates: list[Template]) -> None:
    labels = Counter(template.label for template in templates)
    kinds = Counter(template.kind for template in templates if template.kind)
    assert min(labels[label] for label in Label) >= 300
    assert min(kinds[kind] for kind in Kind) >= 100
    hard = [template for template in templates if template.hard]
    assert len(hard) >= 60
    assert {Label.TRANSACTIONAL, Label.PROMOTIONAL} <= {template.label for template in hard}


def test_hardly_a_template_is_like_another(templates: list[Template]) -> None:
    texts = [template.text for template in templates]
    alike = {place for pair in near_duplicates.alike_pairs(texts) for place in pair[1:]}
    named = ", ".join(templates[place].id for place in sorted(alike)[:20])
    assert len(alike) / len(templates) < ALIKE_SHARE_MAX, f"{len(alike)} of {len(templates)} are near copies: {named}"
    assert len({texts[place] for place in range(len(texts))}) == len(texts)


def test_no_slot_is_left_unfilled_and_fillings_differ(templates: list[Template]) -> None:
    filler = Filler(CORPUS, seed=3)
    texts = [filled.text for filled in generate(templates, filler, 2 * len(templates))]
    assert not [text for text in texts if "{" in text or "##" in text or "@@" in text]
    assert len(set(texts)) > 1.5 * len(templates)
