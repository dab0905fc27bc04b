"""Suspicious links."""

from __future__ import annotations

import pytest

from chappe.classify.links import LINKS_MAX, Suspicion, links_in, skeleton


def suspicions(text: str) -> list[tuple[str, set[Suspicion]]]:
    return [(link.host, set(link.suspicions)) for link in links_in(text, own_domains=["meridian.example"])]


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        ("pay at https://xn--pple-43d.com", "\u0430pple.com", {"punycode", "mixed_scripts", "lookalike"}),
        ("visit http://\u0430\u0440\u0440\u04cf\u0435.com/x", "\u0430\u0440\u0440\u04cf\u0435.com", {"lookalike"}),
        ("bit.ly/abc", "bit.ly", {"shortener"}),
        ("http://192.168.0.1/login", "192.168.0.1", {"ip_address"}),
        ("http://3232235521/", "3232235521", {"ip_address"}),
        ("http://0x7f000001/", "0x7f000001", {"ip_address"}),
        ("https://meridian.example@evil.com/", "evil.com", {"credentials"}),
        ("www.meridian-login.com", "www.meridian-login.com", {"imitation"}),
        ("http://mer1dian.example.evil.net", "mer1dian.example.evil.net", set()),
        ("https://app.meridian.example/r/1", "app.meridian.example", set()),
        ("https://m\u00fcnchen.de", "m\u00fcnchen.de", set()),
        ("https://\u65e5\u672c\u30c6\u30b9\u30c8.jp", "\u65e5\u672c\u30c6\u30b9\u30c8.jp", set()),
    ],
)
def test_what_is_suspicious(text: str, host: str, expected: set[str]) -> None:
    found = suspicions(text)
    assert [name for name, _ in found] == [host]
    assert {str(suspicion) for suspicion in found[0][1]} >= expected
    if not expected:
        assert found[0][1] - {Suspicion.IMITATION} == set()


def test_mail_addresses_amounts_and_sentences_are_no_links() -> None:
    assert links_in("mail ana@example.com about Rs.500, v1.2 and 10.30 in time.") == []


def test_only_so_many_links_are_looked_at() -> None:
    assert len(links_in("a.com " * 500)) == LINKS_MAX


def test_the_skeleton_of_plain_latin_is_itself() -> None:
    assert skeleton("Example.com") == "example.com"
