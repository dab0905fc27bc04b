"""A model from examples: the bound on false positives holds where nothing has been learnt from."""

from __future__ import annotations

import random

import pytest

from chappe.classify.artefact import ModelCard, artefact_bytes, model_of, read_artefact
from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Kind, Label
from chappe.classify.model import Model
from chappe.classify.training import splitting
from chappe.classify.training.building import build
from chappe.classify.training.examples import Example

_NOTICE = [
    "receipt",
    "statement",
    "parcel",
    "code",
    "delivered",
    "balance",
    "appointment",
    "confirmed",
    "invoice",
    "renewed",
]
_OFFER = ["sale", "voucher", "bargain", "deal", "discount", "win", "upgrade", "exclusive", "hurry", "coupon"]
_SHARED = [
    "your",
    "order",
    "today",
    "now",
    "account",
    "store",
    "visit",
    "member",
    "plan",
    "free",
    "until",
    "app",
    "new",
]


def _examples(seed: int = 1, groups: int = 60) -> list[Example]:
    """Notices and offers that share most of their words, so that some are mistaken."""
    chance = random.Random(seed)
    out = []
    for number in range(2 * groups):
        label = (Label.TRANSACTIONAL, Label.PROMOTIONAL)[number % 2]
        own, other = (_NOTICE, _OFFER) if label is Label.TRANSACTIONAL else (_OFFER, _NOTICE)
        words = chance.sample(own, 2) + chance.sample(other, chance.choice([0, 1, 1, 2])) + chance.sample(_SHARED, 4)
        chance.shuffle(words)
        kind = chance.choice([Kind.RECEIPT, Kind.CODE]) if label is Label.TRANSACTIONAL else None
        hand = f"en-{number // 2 % 2}"
        subject = ("bank", "shop", "train")[number // 4 % 3]
        out.append(Example(" ".join(words), label, str(number), kind, hand, subject=subject, language="en"))
    return splitting.grouped(out)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return _examples()


@pytest.mark.parametrize("bound", [0.03, 0.10])
def test_the_bound_holds_on_messages_of_other_origin(
    examples: list[Example], bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splitting, "STRANGERS_GROUPS_MIN", 50)
    built = build(examples, false_positives_max=bound)
    assert built.of_strangers is not None
    assert built.floor_kept == (built.of_strangers.false_positives.value <= bound)
    assert built.floor_kept
    # Not kept by calling nothing promotional.
    assert built.of_strangers.two_class.value > 0.55


def test_a_wider_bound_never_raises_the_floor(examples: list[Example]) -> None:
    floors = [build(examples, false_positives_max=bound).weights.promotional_floor for bound in (0.01, 0.05, 0.2)]
    assert floors == sorted(floors, reverse=True)


def test_without_other_origins_the_bound_holds_on_held_out_groups(examples: list[Example]) -> None:
    built = build(examples, false_positives_max=0.05)
    assert built.of_strangers is None
    assert built.floor_kept == (built.figures.false_positives.value <= 0.05)


def test_the_model_is_the_same_every_time_and_judges_as_its_file_does(examples: list[Example]) -> None:
    card = ModelCard("tiny", "2026-01-01", "made up", "by group", "Apache-2.0", "none")
    first, again = (artefact_bytes(card, build(examples, false_positives_max=0.05).weights) for _ in range(2))
    assert first == again
    stored = model_of(read_artefact(first, "tiny"))
    fresh = Model(build(examples, false_positives_max=0.05).weights, "tiny")
    for example in examples[:20]:
        assert stored.judge(fingerprint(example.text)) == fresh.judge(fingerprint(example.text))
