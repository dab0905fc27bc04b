"""What rules require of the content: added where it belongs, once, and redacted without a trace."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chappe.compliance.content.redaction import Redaction, Sensitive, found
from chappe.compliance.content.shown import visible_text
from chappe.model.customer import Amendment, Channel, Content, Place
from chappe.pipeline.delivery.amending import amended, length_note
from chappe.pipeline.delivery.sms_length import sms_parts

START, END, SUBJECT = Place.TEXT_START, Place.TEXT_END, Place.SUBJECT_START
LABEL = Amendment(SUBJECT, "<ADV>")
ADDRESS = Amendment(END, "Acme Inc., 1 Main Street")
STOP = Amendment(END, "Reply STOP to opt out.")
CARD = Redaction(Sensitive.CARD_NUMBER, 4).amendment


def sms(text: str, *amendments: Amendment) -> str | None:
    return amended(Content(text=text), amendments, Channel.SMS).text


def test_a_label_goes_before_the_subject() -> None:
    assert amended(Content(subject="Boots", text="x"), [LABEL], Channel.EMAIL).subject == "<ADV> Boots"
    assert amended(Content(text="x"), [LABEL], Channel.EMAIL).subject == "<ADV>"


def test_start_and_end_of_a_text() -> None:
    assert sms("20 % off", Amendment(START, "(광고)"), STOP) == "(광고) 20 % off\nReply STOP to opt out."


def test_a_mail_keeps_a_blank_line_before_what_is_added() -> None:
    content = amended(Content(text="Hello.\n"), [ADDRESS, STOP], Channel.EMAIL)
    assert content.text == "Hello.\n\nAcme Inc., 1 Main Street\nReply STOP to opt out."


def test_html_gets_it_inside_its_body_and_escaped() -> None:
    markup = "<html><body><p>Hello</p></body></html>"
    ends = [Amendment(END, "Smith & Sons <London>"), Amendment(END, "Unsubscribe: {unsubscribe_url}")]
    content = amended(Content(html=markup), ends, Channel.EMAIL, "https://m.example/u?a=1&b=2")
    assert content.html == (
        "<html><body><p>Hello</p><p>Smith &amp; Sons &lt;London&gt;<br>Unsubscribe: "
        '<a href="https://m.example/u?a=1&amp;b=2">https://m.example/u?a=1&amp;b=2</a></p></body></html>'
    )


def test_html_without_a_body_gets_it_at_its_ends() -> None:
    content = amended(Content(html="<b>Hi</b>"), [Amendment(START, "[QC]"), STOP], Channel.EMAIL)
    assert content.html == "<p>[QC]</p><b>Hi</b><p>Reply STOP to opt out.</p>"


@pytest.mark.parametrize("text", ["Hi\nReply STOP to opt out.", "reply  stop to opt out. Hi"])
def test_what_is_there_is_not_added_again(text: str) -> None:
    again = sms(text, STOP)
    assert again is not None
    assert again.casefold().count("opt out") == 1


def test_a_word_is_never_cut_to_find_a_start() -> None:
    assert sms("Acmeville opens", Amendment(START, "Acme")) == "Acme Acmeville opens"


def test_what_is_part_of_something_longer_is_left_out() -> None:
    assert sms("Hi", Amendment(END, "Acme Inc."), ADDRESS) == "Hi\nAcme Inc., 1 Main Street"


def test_a_message_of_data_alone_gets_a_text() -> None:
    content = amended(Content(data={"n": 1}), [STOP], Channel.PUSH)
    assert (content.text, content.data) == ("Reply STOP to opt out.", {"n": 1})


def test_the_link_of_the_message_is_filled_in() -> None:
    content = amended(
        Content(text="Hi"), [Amendment(END, "Stop: {unsubscribe_url}")], Channel.SMS, "https://m.example/u"
    )
    assert content.text == "Hi\nStop: https://m.example/u"


def test_numbers_are_masked_in_every_part() -> None:
    content = amended(
        Content(
            "4111111111111111",
            "card 4111 1111 1111 1111",
            "<p>4111&#32;1111 1111 1111</p>",
            {"c": ["4111-1111-1111-1111"]},
        ),
        [CARD],
        Channel.EMAIL,
    )
    assert content.subject == "••••••••••••1111"
    assert content.text == "card •••• •••• •••• 1111"
    assert content.data == {"c": ["••••-••••-••••-1111"]}
    assert content.html is not None
    assert "4111" not in content.html


def test_markup_cannot_hide_a_number() -> None:
    content = amended(Content(html="<p>4111<b>1111</b>11111111 and more</p>"), [CARD], Channel.EMAIL)
    assert content.html is not None
    assert not found(visible_text(content.html), Sensitive.CARD_NUMBER)
    split = amended(Content(html="<p>411111<!-- -->1111 111111</p>"), [CARD], Channel.EMAIL)
    assert split.html is not None
    assert not found(visible_text(split.html), Sensitive.CARD_NUMBER)


def test_additions_are_not_redacted() -> None:
    phone = Amendment(END, "Call account no: 12345678")
    account = Redaction(Sensitive.ACCOUNT_NUMBER).amendment
    assert sms("account no: 87654321", account, phone) == "account no: ••••••••\nCall account no: 12345678"


def test_a_text_that_grows_by_a_part_says_so() -> None:
    before = Content(text="a" * 150)
    after = amended(before, [STOP], Channel.SMS)
    assert length_note(before, after, Channel.SMS) == "sent in 2 parts instead of 1 with what the rules add"
    assert length_note(before, after, Channel.EMAIL) is None
    assert length_note(before, before, Channel.SMS) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("광" * 70, 1),
        ("광" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_the_parts_of_a_text(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


WORDS = st.sampled_from(
    ["Acme", "Acme Inc.", "[QC]", "(광고)", "STOP", "Reply STOP", "1 Main St", "<ADV>", "Acmeville", "& more"]
)
LINES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
TEXTS = st.lists(st.one_of(LINES, st.sampled_from(["Hello.", "", " ", "4111 1111 1111 1111"])), max_size=4).map(
    "\n".join
)
AMENDMENTS = st.lists(
    st.one_of(st.builds(Amendment, st.sampled_from([START, END, SUBJECT]), LINES), st.just(CARD)), max_size=4
)
MARKUP = TEXTS.map(lambda text: f"<html><body><p>{text.replace('&', '&amp;').replace('<', '&lt;')}</p></body></html>")


@given(
    st.builds(Content, subject=st.none() | LINES, text=st.none() | TEXTS, html=st.none() | MARKUP),
    AMENDMENTS,
    st.sampled_from([Channel.EMAIL, Channel.SMS]),
)
@example(Content(text="[QC] [QC] Hello."), [Amendment(START, "[QC]")], Channel.SMS)
def test_to_amend_again_changes_nothing(content: Content, amendments: list[Amendment], channel: Channel) -> None:
    once = amended(content, amendments, channel)
    assert amended(once, amendments, channel) == once
