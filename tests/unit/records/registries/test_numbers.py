"""Numbers as lists write them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chappe.records.registries.numbers import NumberReader

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
READERS = {region: NumberReader(region) for region in REGIONS}
ANYWHERE = NumberReader()


@pytest.mark.parametrize(
    ("region", "text", "number"),
    [
        ("US", "2025550143", 12025550143),
        ("US", "(202) 555-0143", 12025550143),
        ("US", "1-202-555-0143", 12025550143),
        ("US", "+33 6 12 34 56 78", 33612345678),
        ("FR", "06 12 34 56 78", 33612345678),
        ("FR", "612345678", 33612345678),
        ("FR", "33612345678", 33612345678),
        ("FR", "0033612345678", 33612345678),
        ("IT", "0612345678", 390612345678),
        ("AR", "011 15 2345 6789", 5491123456789),
        (None, "33612345678", 33612345678),
        (None, "+12025550143", 12025550143),
        (None, " +1 (202) 555 0143 ", 12025550143),
    ],
)
def test_a_number_is_read_as_it_is_dialled_in_the_region(region: str | None, text: str, number: int) -> None:
    assert NumberReader(region).key(text) == number


@pytest.mark.parametrize("text", ["", "abc", "12", "+0123456789", "123456789012345678901", "+1 202 555 0143 ext. 5"])
def test_what_is_no_number_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"number") as refused:
        NumberReader("US").key(text)
    assert not text or text not in str(refused.value)


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match="XX"):
        NumberReader("XX")


def _by_library(text: str, region: str | None) -> int | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or number.extension:
        return None
    return int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])


def _read(reader: NumberReader, text: str) -> int | None:
    try:
        return reader.key(text)
    except ValueError:
        return None


@st.composite
def _dialled(draw: st.DrawFn) -> tuple[str, str]:
    """A region, and digits that have something to do with it."""
    region = draw(st.sampled_from(REGIONS))
    kind = draw(st.sampled_from([0, 1, 2, 3, 4]))
    made = phonenumbers.example_number_for_type(region, kind)
    digits = draw(st.text("0123456789", min_size=1, max_size=17))
    if made is not None and draw(st.booleans()):
        digits = phonenumbers.national_significant_number(made)
        at = draw(st.integers(0, len(digits)))
        digits = digits[:at] + draw(st.text("0123456789", max_size=len(digits) - at))
    code = str(phonenumbers.country_code_for_region(region))
    start = draw(st.sampled_from(["", "", "0", "00", "1", "8", "9", "011", code, "00" + code, "0" + code]))
    return region, start + digits


@settings(max_examples=1_500, deadline=None)
@given(_dialled())
@example(("US", "12025550143"))
@example(("MX", "5215512345678"))
@example(("AR", "91123456789"))
@example(("BR", "0155511912345678"))
@example(("IT", "0"))
def test_the_short_way_and_the_library_agree(dialled: tuple[str, str]) -> None:
    region, digits = dialled
    assert _read(READERS[region], digits) == _by_library(digits, region)
    assert _read(READERS[region], "+" + digits) == _by_library("+" + digits, region)
    assert _read(ANYWHERE, digits) == _by_library("+" + digits, None)
