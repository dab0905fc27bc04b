from __future__ import annotations

import datetime
from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import urls
from tests.unit.pipeline.house import request

from chappe.model.customer import Channel, Content, CustomerMessage, Recipient
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.normalise import normalise, normalise_recipient

NOW_MS = 1_767_225_600_000


def normalised(**fields: Any) -> CustomerMessage:
    return normalise(request(**fields), message_id="msg_1", now_ms=NOW_MS)


def refused(**fields: Any) -> tuple[str, str]:
    """The pointer and the message of the refusal."""
    with pytest.raises(InvalidInput) as caught:
        normalised(**fields)
    return str(caught.value.details["pointer"]), caught.value.message


def at(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(NOW_MS / 1000 + seconds, datetime.UTC)


@pytest.mark.parametrize(
    ("given_to", "canonical", "channel"),
    [
        (Recipient(email="Ana.Lopez@EXAMPLE.Com"), "Ana.Lopez@example.com", Channel.EMAIL),
        (Recipient(email="jörg@bücher.example.com"), "jörg@bücher.example.com", Channel.EMAIL),
        (Recipient(phone="+49 (151) 1234-5678"), "+4915112345678", Channel.SMS),
        (Recipient(phone="+1 212 555 0123"), "+12125550123", Channel.SMS),
        (Recipient(url="HTTPS://Hooks.Example.COM/A?b=C#frag"), "https://hooks.example.com/A?b=C", Channel.WEBHOOK),
        (Recipient(url="https://example.com"), "https://example.com/", Channel.WEBHOOK),
        (Recipient(url="https://bücher.example/x"), "https://xn--bcher-kva.example/x", Channel.WEBHOOK),
        (Recipient(url="http://[::1]:8080/x"), "http://[::1]:8080/x", Channel.WEBHOOK),
        (Recipient(user="Ana López"), "Ana López", Channel.IN_APP),
    ],
)
def test_addresses_are_made_canonical_and_tell_the_channel(
    given_to: Recipient, canonical: str, channel: Channel
) -> None:
    message = normalised(to=given_to)
    assert message.to.address == canonical
    assert message.channel is channel
    assert normalise_recipient(message.to)[1] == message.to


@pytest.mark.parametrize(
    ("given_to", "pointer"),
    [
        (Recipient(), "/to"),
        (Recipient(email="a@example.com", phone="+4915112345678"), "/to"),
        (Recipient(email="ana"), "/to/email"),
        (Recipient(email="ana@"), "/to/email"),
        (Recipient(email="ana@example.com\r\nBcc: x@example.com"), "/to/email"),
        (Recipient(email="a" * 65 + "@example.com"), "/to/email"),
        (Recipient(email="ana@host.invalid"), "/to/email"),
        (Recipient(email=""), "/to/email"),
        (Recipient(phone="0151 12345678"), "/to/phone"),
        (Recipient(phone="+49"), "/to/phone"),
        (Recipient(phone="+491511234567890123"), "/to/phone"),
        (Recipient(phone="+12125550123 ext. 5"), "/to/phone"),
        (Recipient(url="ftp://example.com/"), "/to/url"),
        (Recipient(url="https://user:pw@example.com/"), "/to/url"),
        (Recipient(url="https:///path"), "/to/url"),
        (Recipient(url="https://example.com:99999/"), "/to/url"),
        (Recipient(url="https://exa mple.com/"), "/to/url"),
        (Recipient(url="https://[::1/"), "/to/url"),
        (Recipient(url="https://example.com/" + "a" * 2048), "/to/url"),
        (Recipient(user=" "), "/to/user"),
        (Recipient(user="a\x00b"), "/to/user"),
        (Recipient(user="a" * 257), "/to/user"),
    ],
)
def test_addresses_that_cannot_be_reached_are_refused_by_name(given_to: Recipient, pointer: str) -> None:
    assert refused(to=given_to)[0] == pointer


@pytest.mark.parametrize(
    ("phone", "why"),
    [("12", "begins with + and the country code"), ("+9991234567", "no such country code"), ("+", "not a telephone")],
)
def test_what_is_wrong_with_a_number_is_said_plainly(phone: str, why: str) -> None:
    assert why in refused(to=Recipient(phone=phone))[1]


LOCAL_PARTS = st.text("abcXYZ019.+-_'!\"@ é", max_size=12)
DOMAINS = st.sampled_from(
    ["example.com", "EXAMPLE.com", "a.b.example.org", "-x.com", "x..com", "localhost", "bücher.example", "1.2.3.4", ""]
)


@given(LOCAL_PARTS, DOMAINS)
def test_plain_mail_addresses_come_out_as_the_library_has_it(local_part: str, domain: str) -> None:
    address = f"{local_part}@{domain}"
    try:
        expected = validate_email(address, check_deliverability=False, strict=True).normalized
    except EmailNotValidError:
        with pytest.raises(InvalidInput):
            normalise_recipient(Recipient(email=address))
    else:
        assert normalise_recipient(Recipient(email=address))[1].email == expected


@given(st.text(max_size=60))
def test_any_text_as_an_address_is_taken_or_refused_in_order(text: str) -> None:
    for kind in ("email", "phone", "url", "user"):
        try:
            found = normalise_recipient(Recipient(**{kind: text}))[1]
        except InvalidInput:
            continue
        assert normalise_recipient(found)[1] == found


@pytest.mark.parametrize(
    "url",
    [
        "https://EXAMPLE.com:443/a?b#c",
        "HTTPS://example.com/a?b",
        "https://example.com.:443/a?b",
        "https://example.com:/a?b#",
        "https://example.com:0443/a?b",
    ],
)
def test_one_receiver_is_known_by_one_url(url: str) -> None:
    assert normalise_recipient(Recipient(url=url))[1].url == "https://example.com/a?b"


def test_ports_and_addresses_in_urls() -> None:
    for url, canonical in (
        ("http://example.com:80", "http://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://[2001:DB8:0:0::1]:443/", "https://[2001:db8::1]/"),
        ("https://b\u00fccher.example.:8443/", "https://xn--bcher-kva.example:8443/"),
    ):
        assert normalise_recipient(Recipient(url=url))[1].url == canonical


@given(urls())
def test_urls_keep_their_place(url: str) -> None:
    try:
        found = normalise_recipient(Recipient(url=url))[1]
    except InvalidInput:
        return
    assert normalise_recipient(found)[1] == found


def test_a_channel_is_asked_for_with_an_address_that_fits() -> None:
    assert normalised(to=Recipient(phone="+4915112345678"), channel=Channel.VOICE).channel is Channel.VOICE
    assert normalised(channel=Channel.SANDBOX).channel is Channel.SANDBOX
    pointer, message = refused(channel=Channel.SMS)
    assert pointer == "/channel"
    assert "phone" in message


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (Content(), "/content"),
        (Content(subject="only"), "/content"),
        (Content(text=""), "/content"),
        (Content(text=" \n", html=""), "/content"),
        (Content(text="x", subject="two\nlines"), "/content/subject"),
        (Content(text="x", subject="s" * 999), "/content/subject"),
    ],
)
def test_content_that_cannot_be_sent_is_refused(content: Content, pointer: str) -> None:
    assert refused(content=content)[0] == pointer


def test_data_is_bounded_in_depth() -> None:
    def nested(levels: int) -> dict[str, Any]:
        value: Any = 1
        for _ in range(levels - 1):
            value = [value]
        return {"v": value}

    url = Recipient(url="https://example.com/")
    assert normalised(to=url, content=Content(data=nested(32)))
    assert refused(to=url, content=Content(data=nested(33)))[0] == "/content/data"


def test_a_text_message_needs_text() -> None:
    assert refused(to=Recipient(phone="+4915112345678"), content=Content(html="<p>"))[0] == "/content"


def test_times() -> None:
    message = normalised(send_at=at(60), expires_at=at(120))
    assert (message.send_at_ms, message.expires_at_ms) == (NOW_MS + 60_000, NOW_MS + 120_000)
    assert normalised(send_at=at(-60)).send_at_ms == NOW_MS - 60_000
    assert refused(expires_at=at(0))[0] == "/expires_at"
    assert refused(send_at=at(60), expires_at=at(60))[0] == "/expires_at"
    assert refused(send_at=at(367 * 86_400))[0] == "/send_at"


def test_the_sender_of_a_mail_is_a_mailbox() -> None:
    assert normalised(sender="Acme <no-reply@acme.example>").sender == "Acme <no-reply@acme.example>"
    assert refused(sender="Acme")[0] == "/from"
    assert refused(sender="Acme <a@acme.example>\nBcc: b@c.de")[0] == "/from"
    assert normalised(to=Recipient(phone="+4915112345678"), sender="Acme").sender == "Acme"
