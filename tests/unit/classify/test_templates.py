"""Slots are filled with what belongs to the place: the region's values, else the language's, else those for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from chappe.classify.labels import Kind, Label
from chappe.classify.templates import Filler, Template
from chappe.model.errors import InvalidConfiguration

SLOTS = """
"*": {city: [Anywhere], brand: [Acme], amount: ["$##"]}
fr: {city: [Lyon], amount: ["## €"]}
CA: {city: [Laval]}
"""


@pytest.fixture
def filler(tmp_path: Path) -> Filler:
    (tmp_path / "slots.yaml").write_text(SLOTS, encoding="utf-8")
    return Filler(tmp_path)


def template(text: str, language: str, region: str) -> Template:
    return Template(
        id="t:1",
        label=Label.TRANSACTIONAL,
        kind=Kind.ALERT,
        channel="sms",
        language=language,
        industry="retail",
        region=region,
        text=text,
    )


@pytest.mark.parametrize(
    ("language", "region", "expected"),
    [
        ("fr", "CA", "Laval"),
        ("fr", "FR", "Lyon"),
        ("fr", "*", "Lyon"),
        ("en", "*", "Anywhere"),
        ("en", "CA", "Laval"),
        ("en", "US", "Anywhere"),
    ],
)
def test_the_nearest_place_fills_a_slot(filler: Filler, language: str, region: str, expected: str) -> None:
    assert filler.fill(template("{city}", language, region)) == expected


def test_what_a_region_lacks_comes_from_the_language_and_then_from_all(filler: Filler) -> None:
    text = filler.fill(template("{city} {amount} {brand}", "fr", "CA"))
    assert text.startswith("Laval ")
    assert text.endswith(" € Acme")


def test_a_slot_that_nobody_knows_is_named(filler: Filler) -> None:
    with pytest.raises(InvalidConfiguration, match="moon"):
        filler.fill(template("{moon}", "fr", "FR"))
