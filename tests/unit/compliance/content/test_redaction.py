"""What can be made unreadable: found where it is, left alone where it only looks like it, gone afterwards."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chappe.compliance.content.redaction import MASK, Redaction, Sensitive, found, redacted
from chappe.model.customer import Amendment, Place

THERE = [
    (Sensitive.CARD_NUMBER, "card 4111 1111 1111 1111 was charged", "4111 1111 1111 1111"),
    (Sensitive.CARD_NUMBER, "order 123, card 4111-1111-1111-1111", "4111-1111-1111-1111"),
    (Sensitive.CARD_NUMBER, "123 4111 1111 1111 1111", "4111 1111 1111 1111"),
    (Sensitive.ACCOUNT_NUMBER, "to DE89 3704 0044 0532 0130 00 by Friday", "DE89 3704 0044 0532 0130 00"),
    (Sensitive.ACCOUNT_NUMBER, "Account number: 000123456789", "000123456789"),
    (Sensitive.SSN, "SSN 123-45-6789", "123-45-6789"),
    (Sensitive.NATIONAL_ID, "NINO AB 12 34 56 C", "AB 12 34 56 C"),
    (Sensitive.NATIONAL_ID, "DNI 12345678Z", "12345678Z"),
    (Sensitive.MRN, "MRN: 00123456", "00123456"),
    (Sensitive.DIAGNOSIS, "Your diagnosis: (type 2 diabetes). Call us", "type 2 diabetes"),
    (Sensitive.DIAGNOSIS, "code E11.9 on the form", "E11.9"),
    (Sensitive.MEDICATION, "take metformin 500 mg daily", "metformin 500 mg"),
    (Sensitive.TEST_RESULT, "Your test results: negative!", "negative"),
    (Sensitive.TEST_RESULT, "The HIV test was positive", "HIV test was positive"),
    (Sensitive.SPECIAL_CATEGORY, "diagnosed with asthma", "asthma"),
]
NOT_THERE = [
    (Sensitive.CARD_NUMBER, "order 4111 1111 1111 1112"),
    (Sensitive.CARD_NUMBER, "your code is 483920"),
    (Sensitive.CARD_NUMBER, "0000 0000 0000 0000"),
    (Sensitive.ACCOUNT_NUMBER, "DE89 3704 0044 0532 0130 01"),
    (Sensitive.SSN, "call 000-12-3456"),
    (Sensitive.NATIONAL_ID, "part 12345678A"),
    (Sensitive.DIAGNOSIS, "version v10.5 is out"),
    (Sensitive.MEDICATION, "20 % off for 500 people"),
]


@pytest.mark.parametrize(("what", "text", "secret"), THERE)
def test_it_is_found_and_gone(what: Sensitive, text: str, secret: str) -> None:
    assert found(text, what)
    masked = redacted(text, [Redaction(what)])
    assert masked == text.replace(secret, "".join(MASK if c.isalnum() else c for c in secret))


@pytest.mark.parametrize(("what", "text"), NOT_THERE)
def test_what_only_looks_like_it_is_left_alone(what: Sensitive, text: str) -> None:
    assert redacted(text, [Redaction(what)]) == text


def test_the_last_digits_of_numbers_stay_but_never_of_words() -> None:
    assert redacted("4111 1111 1111 1111", [Redaction(Sensitive.CARD_NUMBER, 4)]) == "•••• •••• •••• 1111"
    assert redacted("diagnosis: asthma", [Redaction(Sensitive.DIAGNOSIS, 4)]) == "diagnosis: ••••••"


def test_the_strictest_of_two_wins() -> None:
    wishes = [Redaction(Sensitive.CARD_NUMBER, 4), Redaction(Sensitive.CARD_NUMBER)]
    assert redacted("4111 1111 1111 1111", wishes) == "•••• •••• •••• ••••"


@pytest.mark.parametrize("redaction", [Redaction(Sensitive.SSN), Redaction(Sensitive.CARD_NUMBER, 4)])
def test_it_travels_in_a_decision(redaction: Redaction) -> None:
    assert Redaction.of(redaction.amendment) == redaction


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(ValueError, match="shoe_size"):
        Redaction.of(Amendment(Place.REDACTION, "shoe_size"))


PIECES = st.one_of(
    st.sampled_from([text for _, text, _ in THERE]),
    st.sampled_from([text for _, text in NOT_THERE]),
    st.text(alphabet="0123456789 -.,:#()abcDEZ•\n", max_size=24),
)


@given(
    st.lists(PIECES, max_size=4).flatmap(
        lambda parts: st.sampled_from(["", " ", "\n"]).map(lambda gap: gap.join(parts))
    ),
    st.lists(st.builds(Redaction, st.sampled_from(Sensitive), st.sampled_from([0, 4])), min_size=1, max_size=3),
)
@example("diagnosis: (((", [Redaction(Sensitive.DIAGNOSIS)])
def test_no_match_remains_and_to_redact_again_changes_nothing(text: str, redactions: list[Redaction]) -> None:
    masked = redacted(text, redactions)
    for redaction in redactions:
        assert not found(masked, redaction.what)
    assert redacted(masked, redactions) == masked
    assert len(masked) == len(text)


@pytest.mark.parametrize("text", ["1" * 100_000, "4 " * 50_000, "diagnosis: " * 5_000, "a" * 100_000])
def test_long_content_is_no_trouble(text: str) -> None:
    for what in Sensitive:
        assert len(redacted(text, [Redaction(what)])) == len(text)
