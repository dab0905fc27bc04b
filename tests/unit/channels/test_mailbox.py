from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chappe.channels.mailbox import InvalidMailbox, Mailbox, one_line, parse_mailbox


@pytest.mark.parametrize(
    ("text", "name", "local_part", "domain"),
    [
        ("ada@example.com", "", "ada", "example.com"),
        ("<ada@example.com>", "", "ada", "example.com"),
        ("Ada Lovelace <ada@example.com>", "Ada Lovelace", "ada", "example.com"),
        ('"Acme, Inc." <no-reply@acme.example>', "Acme, Inc.", "no-reply", "acme.example"),
        (r'"The \"Best\"" <a@b.example>', 'The "Best"', "a", "b.example"),
        ("Jürgen <jürgen@Müller.example>", "Jürgen", "jürgen", "xn--mller-kva.example"),
        ("ada+tag@localhost", "", "ada+tag", "localhost"),
        ('"a b"@example.com', "", '"a b"', "example.com"),
        ("ada@[127.0.0.1]", "", "ada", "[127.0.0.1]"),
        ("ada@[IPv6:::1]", "", "ada", "[IPv6:::1]"),
    ],
)
def test_reads_an_address_with_or_without_a_name(text: str, name: str, local_part: str, domain: str) -> None:
    assert parse_mailbox(text) == Mailbox(name, local_part, domain)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@b@c.example",
        "a b@example.com",
        "ada@exa mple.com",
        "ada@example..com",
        ".ada@example.com",
        "ada@[not an address]",
        "<ada@example.com> x",
        "Ada <ada@example.com>, Bob <bob@example.com>",
        "ada@example.com, bob@example.com",
        "ada@example.com\r\nBcc: bob@example.com",
        "Ada\r\nBcc: bob@example.com <ada@example.com>",
        "Ada\u2028Bcc <ada@example.com>",
        'ada"@example.com',
        "ada> SIZE=1@example.com",
        "x" * 65 + "@example.com",
    ],
)
def test_refuses_what_is_not_one_mailbox(text: str) -> None:
    with pytest.raises(InvalidMailbox):
        parse_mailbox(text)


@given(st.text())
@example("a@b\n")
@example('"\\\n"@b')
def test_no_mailbox_can_end_a_line_or_an_smtp_argument(text: str) -> None:
    try:
        mailbox = parse_mailbox(text)
    except InvalidMailbox:
        return
    assert len((mailbox.address + mailbox.name + "x").splitlines()) == 1
    assert mailbox.domain.isascii()
    if not mailbox.local_part.startswith('"'):
        assert not set(" <>") & set(mailbox.address)


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(f"{one_line(text)}x".splitlines()) == 1
