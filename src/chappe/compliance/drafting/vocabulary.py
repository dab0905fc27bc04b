"""The words by which a passage tells which messages it is about: channels, purposes, categories, and when it begins.

Works on the canonical form, but for `terms_defined` and `begins_on`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

from chappe.compliance.drafting.canonical import canonical, plain
from chappe.compliance.drafting.finding import BOTH, PROMOTIONAL, TRANSACTIONAL
from chappe.model.customer import Channel

_NO_CHANNEL = re.compile(
    r"\b(?:(?:tele)?phone|contact|calling) numbers?\b|\bdo[- ]not[- ]call\b|\bno[- ]call\b"
    r"|\b(?:so-)?called (?:part(?:y|ies)|persons?)\b"
    r"|\be-?mail addresse?s?\b|\bcall cent(?:re|er)s?\b|\btext of\b|\brecalls?\b|\bby clicking\b.*$|\bcallers?\b"
)
_CHANNELS = (
    (
        Channel.EMAIL,
        r"\be-?mails?\b|\belectronic mails?\b|\bnewsletters?\b|\bmailbox|\belectronic (?:messages?|communications?)\b",
    ),
    (
        Channel.SMS,
        (
            r"\bsms\b|\btext(?:s|ing)?\b|\btext messages?\b|\bshort messages?\b|\bmms\b|\belectronic (?:messages?"
            r"|communications?)\b"
        ),
    ),
    (Channel.PUSH, r"\bpush (?:notifications?|messages?)\b|\bpush\b(?=,| or| and)"),
    (
        Channel.VOICE,
        (
            r"\b(?:tele)?phone\b|\btelephon\w+\b|\btele-?(?:market|sal)\w+\b|\b(?:cold-?)?call(?:s|ed|ing)?\b"
            r"|\bvoice (?:calls?|messages?)\b"
        ),
    ),
    (Channel.IN_APP, r"\bin-app (?:messages?|notifications?)\b"),
)
_CHANNEL_PATTERNS = tuple((channel.value, re.compile(pattern)) for channel, pattern in _CHANNELS)
CHANNEL_ORDER = tuple(channel.value for channel in Channel)

_ANY_PURPOSE = re.compile(
    r"\bof any kind\b|\bwhether (?:or not )?commercial\b|\bregardless of (?:its |their )?purpose\b|\ball messages\b"
)
_TRANSACTIONAL = re.compile(
    r"\btransactional\b|\bservice (?:messages?|sms|texts?|calls?)\b"
    r"|\b(?:is|are|does) not (?:contain )?(?:an? )?(?:advertis\w+|marketing|commercial|promotional)\b"
    r"|\bnon-commercial\b"
)
_CONTAINS_NONE = re.compile(
    r"\b(?:(?:not|never) contain|contains? no|without)(?: any)? (?:marketing|advertis\w+|promotion\w*)\b"
)
_PROMOTIONAL = re.compile(
    r"\b(?:market(?:ing|ers?)|promot\w+|advertis\w+|commercial|solicit\w*|tele-?market\w*"
    r"|(?:tele)?phon(?:e|ic) sales|canvass\w*"
    r"|newsletters?|campaigns?|unsolicited|sales calls?|spam)\b"
)
_CATEGORIES = ((r"\bdebt(?:s|ors?)?\b", "debt_collection"),)
_OF_MESSAGES = re.compile(
    r"\b(?:messages?|communications?|notifications?|calls?|solicitations?|send(?:s|ing|ers?)?|sent|contact(?:s|ed|ing)?"
    r"|transmit\w*|subscri\w+|recipients?|called)\b"
)
_DEFINED = re.compile(r"\"([^\"]{3,60})\" (?:means|includes)\b(.*)", re.DOTALL)
_MONTHS = {datetime.date(2000, number, 1).strftime("%B").lower(): number for number in range(1, 13)}
_DATE = (
    r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)? (?P<month>" + "|".join(_MONTHS) + r"),? (?P<year>\d{4})"
    r"|(?P<month_first>" + "|".join(_MONTHS) + r") (?P<second>\d{1,2})(?:st|nd|rd|th)?, (?P<last>\d{4})"
    r"|(?P<iso>\d{4}-\d\d-\d\d))"
)
_BEGINS = re.compile(
    r"\b(?:with effect from|effective(?: from| on| as of|:)?|as (?:of|from)|from|in force on"
    r"|beginning(?: on)?|starting(?: on)?"
    r"|on or after|(?:into|in) (?:force|effect) (?:on|from)|takes? effect (?:on|from)|appl(?:y|ies) (?:as )?from) "
    + _DATE
)


def channels_in(words: str, terms: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The channels that are named, defined terms first; in the order of `Channel`."""
    found: set[str] = set()
    for term in sorted(terms, key=len, reverse=True):
        pattern = re.compile(rf"\b{re.escape(term)}(?:e?s)?\b")
        if pattern.search(words):
            found.update(terms[term])
            words = pattern.sub(" ", words)
    words = _NO_CHANNEL.sub(" ", words)
    found.update(channel for channel, pattern in _CHANNEL_PATTERNS if pattern.search(words))
    return tuple(channel for channel in CHANNEL_ORDER if channel in found)


def purpose_in(words: str, terms: Mapping[str, tuple[str, ...]]) -> str | None:
    """The purpose that is named: promotional, transactional or both."""
    if _ANY_PURPOSE.search(words):
        return BOTH
    if _TRANSACTIONAL.search(words):
        return TRANSACTIONAL
    if _PROMOTIONAL.search(_CONTAINS_NONE.sub(" ", words)):
        return PROMOTIONAL
    return None


def categories_in(words: str) -> tuple[str, ...]:
    return tuple(category for pattern, category in _CATEGORIES if re.search(pattern, words))


def is_of_messages(words: str, terms: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether it is about messages at all, rather than offices, courts and reports."""
    return bool(channels_in(words, terms)) or _OF_MESSAGES.search(words) is not None


def terms_defined(text: str) -> dict[str, tuple[str, ...]]:
    """The terms that a passage defines and that stand for messages on some channels."""
    found = _DEFINED.search(plain(text))
    if found is None:
        return {}
    channels = channels_in(canonical(found[2]), {})
    return {found[1].lower(): channels} if channels else {}


def begins_on(text: str) -> str | None:
    """The day from which a passage is in force, as an ISO 8601 date."""
    found = _BEGINS.search(plain(text).lower())
    if found is None:
        return None
    if found["iso"]:
        return found["iso"]
    month = _MONTHS[found["month"] or found["month_first"]]
    try:
        return datetime.date(
            int(found["year"] or found["last"]), month, int(found["day"] or found["second"])
        ).isoformat()
    except ValueError:
        return None
