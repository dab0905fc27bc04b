"""Links in a text that deserve suspicion: look-alike names, shorteners, bare IP addresses, credentials in the URL.

Pure and bounded: nothing is resolved or fetched. Look-alikes are found by the skeleton of UTS #39 (characters that are
confused with Latin ones are mapped to them) for the scripts that are used for it: Cyrillic, Greek, Armenian, and
full-width forms.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

import idna
import msgspec

LINKS_MAX = 50
"""More links of one text are not looked at."""
_LINK = re.compile(
    r"(?i)\b(?:https?://|www\.)[^\s<>\"']{1,2000}"
    r"|(?<![@\w.-])(?:[a-z0-9\u00a1-\uffff](?:[a-z0-9\u00a1-\uffff-]{0,61}[a-z0-9\u00a1-\uffff])?\.){1,5}"
    r"(?:[a-z]{2,18}|xn--[a-z0-9-]{2,50})(?:/[^\s<>\"']{0,2000})?(?![\w@-])"
)
SHORTENERS = frozenset(
    {"bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rb.gy", "rebrand.ly", "t.ly"}
    | {"shorturl.at", "tiny.cc", "s.id", "bl.ink", "short.io", "v.gd", "clck.ru", "soo.gd", "lnkd.in", "qr.ae"}
    | {"1kx.in", "gs.im", "klr.pw", "u3.mnge.co", "adf.ly", "shorte.st", "bc.vc", "han.gl", "vo.la", "url.kr", "dwz.cn"}
)
_CONFUSABLE = dict(
    zip(
        "аесорхуѕіјһԁԛԝкмнтвгпӏαορνικτυχεаьզոսց",
        "aecopxysijhdqwkmhtbrnlaopviktuxeabqnug",
        strict=True,
    )
)
_CONFUSED = str.maketrans(_CONFUSABLE)


class Suspicion(StrEnum):
    """What is suspicious of a link."""

    LOOKALIKE = "lookalike"
    """The name reads like one in Latin letters and is another."""
    MIXED_SCRIPTS = "mixed_scripts"
    """One label of the name mixes scripts."""
    PUNYCODE = "punycode"
    """The name is written as xn--, so that readers cannot tell what it says."""
    SHORTENER = "shortener"
    """Where it leads is hidden."""
    IP_ADDRESS = "ip_address"
    """It leads to a bare address."""
    CREDENTIALS = "credentials"
    """What stands before an @ is no host, though it may look like one."""
    IMITATION = "imitation"
    """A known name is part of another (`bank.example.login.io`, `examp1e.com`)."""


class Link(msgspec.Struct, frozen=True):
    """A link as it stands in the text, its host in Unicode, and what is suspicious of it."""

    text: str
    host: str
    suspicions: tuple[Suspicion, ...]


def links_in(text: str, *, own_domains: Collection[str] = (), shorteners: frozenset[str] = SHORTENERS) -> list[Link]:
    """The links of a text, in order. `own_domains` are the sender's: trusted, and what imitates them is not."""
    found: list[Link] = []
    own = tuple(own_domains)
    for match in _matches(text[:100_000]):
        if len(found) == LINKS_MAX:
            break
        link = match[0].rstrip(".,;:!?)]}'\"…")
        host, suspicions = _judged(_AUTHORITY_END.split(link.partition("://")[2] or link, 1)[0], own, shorteners)
        if host:
            found.append(Link(link, host, suspicions))
    return found


def _matches(text: str) -> Iterator[re.Match[str]]:
    # No link has white space in it, and few words look like one.
    for word in text.split():
        if "." in word[1:-1] or "://" in word:
            yield from _LINK.finditer(word)


_AUTHORITY_END = re.compile(r"[/?#\\]")
_AUTHORITIES_KEPT = 4_096


@lru_cache(maxsize=_AUTHORITIES_KEPT)
def _judged(authority: str, own: tuple[str, ...], shorteners: frozenset[str]) -> tuple[str, tuple[Suspicion, ...]]:
    """The host of an authority (RFC 3986 section 3.2) in Unicode, and what is suspicious of it. Few occur often."""
    host = _host(authority)
    return (_unicode(host), tuple(_suspicions(authority, host, own, shorteners))) if host else ("", ())


def _host(authority: str) -> str:
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _suspicions(authority: str, host: str, own: Collection[str], shorteners: Collection[str]) -> list[Suspicion]:
    found: list[Suspicion] = []
    shown = _unicode(host)
    if _is_own(shown, own):
        return []
    if "xn--" in host:
        found.append(Suspicion.PUNYCODE)
    if not shown.isascii():
        if any(len(_scripts(label)) > 1 for label in shown.split(".")):
            found.append(Suspicion.MIXED_SCRIPTS)
        if skeleton(shown).isascii():
            found.append(Suspicion.LOOKALIKE)
    if shown in shorteners or shown.removeprefix("www.") in shorteners:
        found.append(Suspicion.SHORTENER)
    if _is_ip(host):
        found.append(Suspicion.IP_ADDRESS)
    if "@" in authority:
        found.append(Suspicion.CREDENTIALS)
    if any(_imitates(shown, domain) for domain in own):
        found.append(Suspicion.IMITATION)
    return found


def skeleton(name: str) -> str:
    """What a name looks like to a reader of Latin letters."""
    return unicodedata.normalize("NFKC", name).lower().translate(_CONFUSED)


def _unicode(host: str) -> str:
    if "xn--" not in host:
        return host.lower()
    try:
        return idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return host.lower()


def _is_own(host: str, own: Collection[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in own)


def _imitates(host: str, domain: str) -> bool:
    seen = skeleton(host).translate(str.maketrans("0135", "oles"))
    meant = domain.lower().translate(str.maketrans("0135", "oles"))
    brand = meant.partition(".")[0]
    return meant in seen or (len(brand) > 4 and brand in re.split(r"[.-]", seen.rpartition(".")[0]))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.isdigit() or re.fullmatch(r"0x[0-9a-f]+", host) is not None
    return True


def _scripts(label: str) -> set[str]:
    names = (unicodedata.name(letter, "").partition(" ")[0] for letter in label if letter.isalpha())
    scripts = {name for name in names if name}
    # Japanese mixes three scripts and Korean two as a matter of course (UTS #39, section 5.1).
    if scripts <= {"CJK", "HIRAGANA", "KATAKANA", "LATIN"} or scripts <= {"CJK", "HANGUL", "LATIN"}:
        return {"CJK"} if scripts else set()
    return scripts
