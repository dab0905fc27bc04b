from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.channels.base import Outbound, PermanentFailure
from chappe.channels.mail_message import Mail, compose
from chappe.model.customer import Channel, Content, Purpose, Recipient

Make = Callable[..., Outbound]
NOW_MS = 1_760_000_000_000


def write(outbound: Outbound) -> Mail:
    return compose(outbound, default_sender="Acme <no-reply@acme.example>", now_ms=NOW_MS)


def read(mail: Mail) -> EmailMessage:
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_plain_message(outbound: Make) -> None:
    mail = write(outbound())
    assert (mail.envelope_from, mail.envelope_to) == ("no-reply@acme.example", "ada@example.com")
    assert mail.message_id == "<01jb2w4xq8@acme.example>"
    assert mail.content == (
        b"Date: Thu, 09 Oct 2025 08:53:20 +0000\r\n"
        b"Message-ID: <01jb2w4xq8@acme.example>\r\n"
        b"From: Acme <no-reply@acme.example>\r\n"
        b"To: ada@example.com\r\n"
        b"Subject: Your code\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"MIME-Version: 1.0\r\n"
        b"\r\n"
        b"It is 123456.\r\n"
    )


def test_text_and_html_are_alternatives_with_the_html_last(outbound: Make) -> None:
    mail = read(write(outbound(content=Content(subject="Grüße", text="Grüß Gott", html="<p>Grüß Gott</p>"))))
    assert mail["Subject"] == "Grüße"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["Grüß Gott", "<p>Grüß Gott</p>"]


def test_html_alone(outbound: Make) -> None:
    mail = read(write(outbound(content=Content(subject="x", html="<p>Hi</p>"))))
    assert mail.get_content_type() == "text/html"


def test_the_bytes_are_seven_bit_and_short_lined_even_if_the_content_is_not(outbound: Make) -> None:
    content = Content(subject="ü" * 500, text="é" * 5000, html="x" * 5000)
    mail = write(outbound(content=content, sender="Ü" * 200 + " <a@b.example>"))
    assert mail.content.isascii()
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    assert read(mail)["Subject"] == "ü" * 500


def test_the_sender_of_the_message_counts_and_its_domain_names_the_message(outbound: Make) -> None:
    mail = write(outbound(sender='"Müller, Söhne" <post@müller.example>'))
    parsed = read(mail)
    assert mail.envelope_from == "post@xn--mller-kva.example"
    assert parsed["From"].addresses[0].display_name == "Müller, Söhne"
    assert parsed["Message-ID"] == "<01jb2w4xq8@xn--mller-kva.example>"
    assert not mail.smtputf8


def test_an_international_domain_needs_no_smtputf8_but_a_local_part_does(outbound: Make) -> None:
    domain_only = write(outbound(to=Recipient(email="ada@müller.example")))
    assert (domain_only.envelope_to, domain_only.smtputf8) == ("ada@xn--mller-kva.example", False)

    local_part = write(outbound(to=Recipient(email="jürgen@müller.example")))
    assert (local_part.envelope_to, local_part.smtputf8) == ("jürgen@xn--mller-kva.example", True)
    assert "To: jürgen@xn--mller-kva.example\r\n".encode() in local_part.content


def test_a_quoted_local_part(outbound: Make) -> None:
    mail = write(outbound(to=Recipient(email='"a \\"b\\" c"@example.com')))
    assert mail.envelope_to == '"a \\"b\\" c"@example.com'
    assert b'To: "a \\"b\\" c"@example.com\r\n' in mail.content


@pytest.mark.parametrize("length", [10, 70, 300, 900])
def test_one_click_unsubscription_headers_stay_whole_however_long_the_url(outbound: Make, length: int) -> None:
    url = "https://chappe.example/u/" + "x" * length
    mail = write(outbound(purpose=Purpose.PROMOTIONAL, unsubscribe_url=url))
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in mail.content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail.content


def test_without_an_unsubscribe_url_there_are_no_such_headers(outbound: Make) -> None:
    assert b"List-Unsubscribe" not in write(outbound()).content


def test_line_breaks_in_a_subject_become_spaces(outbound: Make) -> None:
    mail = read(write(outbound(content=Content(subject="Hi\r\nBcc: eve@example.com\n\nbody", text="x"))))
    assert mail["Subject"] == "Hi Bcc: eve@example.com body"
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content": Content(subject="x")}, "content_missing"),
        ({"content": Content(data={"a": 1})}, "content_missing"),
        ({"to": Recipient(email="ada@example.com\r\nBcc: eve@example.com")}, "address_invalid"),
        ({"sender": "Eve\nBcc: eve@example.com <a@b.example>"}, "address_invalid"),
        ({"to": Recipient(phone="+447700900001")}, "address_invalid"),
    ],
)
def test_what_cannot_be_a_mail_fails_for_good(outbound: Make, changes: dict[str, object], code: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        write(outbound(**changes))
    assert caught.value.code == code


HEADERS = {
    "date",
    "message-id",
    "from",
    "to",
    "subject",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "content-type",
    "content-transfer-encoding",
    "mime-version",
}


@given(
    sender=st.one_of(st.none(), st.text(), st.text().map(lambda name: f"{name} <a@b.example>")),
    to=st.one_of(st.text(), st.emails()),
    subject=st.text(),
    text=st.text(),
    url=st.one_of(st.none(), st.text(min_size=1).map(lambda path: f"https://x.example/{path}")),
)
def test_nothing_from_outside_can_add_a_header_or_a_recipient(
    sender: str | None, to: str, subject: str, text: str, url: str | None
) -> None:
    message = Outbound(
        message_id="01jb2w4xq8",
        to=Recipient(email=to),
        channel=Channel.EMAIL,
        purpose=Purpose.PROMOTIONAL,
        content=Content(subject=subject, text=text),
        attempt=1,
        created_at_ms=0,
        sender=sender,
        unsubscribe_url=url,
    )
    try:
        mail = write(message)
    except PermanentFailure:
        return
    head, _, _ = mail.content.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert set(names) <= HEADERS
    assert len(names) == len(set(names))
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert b"\r" not in head.replace(b"\r\n", b"")
