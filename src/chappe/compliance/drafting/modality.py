"""What a passage does with what it says: forbid, allow, ask for it; or tell, define, punish, recommend.

Works on the canonical form.
"""

from __future__ import annotations

import re
from enum import StrEnum

FORBIDS = (
    r"\b(?:may|shall|must|should|can|will|is|are) (?:only )?not(?: be)?\b(?! apply| prevent| prohibit)"
    r"|\bcannot\b|\bmay neither\b"
    r"|\b(?:no|nor) (?!later|more|less|fewer|older|longer|cost|charge|case)(?:[\w'-]+ ){1,8}?(?:may|shall"
    r"|must|should|can|will)\b(?! not)"
    r"|\bno (?!later|more|less|fewer|older|longer|cost|charge)(?:[\w'-]+ ){1,5}?(?:is|are) (?:to be"
    r"|allowed|permitted)\b"
    r"|\b(?:prohibit(?:ed|s|ion)?|forbid(?:s|den)?|unlawful|illegal|banned|barred|not (?:be )?(?:allowed"
    r"|permitted|authori[sz]ed))\b"
    r"|\b(?:make|place|send|transmit) no (?!more|fewer|less|later)\b|\b(?:refrain|abstain) from\b"
    r"|\bnot to be\b|\bnever\b|\bno (?=\{)"
)
ALLOWS = (
    r"\b(?:may|can|shall|must|should|will) (?:(?:be )?only|be|only be)\b|\bmay\b"
    r"|\b(?:allowed|permitted|authori[sz]ed|lawful|permissible|restricted to|confined to|limited to)\b|\bonly\b"
)
ASKS = (
    r"\b(?:must|shall|should)\b(?! not)|\b(?:is|are) (?:to|required|obliged|bound)\b|\b(?:has|have) to\b"
    r"|\brequire[sd]?\b"
    r"|\bneeds?\b|\bmandatory\b|\bobligatory\b|\bobligation to\b|\bis subject to\b|\bonly\b"
)
WEAK = r"\bshould\b|\bencouraged\b|\bexpected to\b"

_FORBIDS, _ALLOWS, _ASKS, _WEAK = map(re.compile, (FORBIDS, ALLOWS, ASKS, WEAK))
_BUT_WITHIN = re.compile(r"\b(?:except|other than|unless|save|outside|but only|otherwise than)\b(?: \w+){0,4} ?$")


class Sense(StrEnum):
    FORBIDS = "forbids"
    ALLOWS = "allows"


class NoRule(StrEnum):
    """Why a passage that sounds like a rule is none, in words."""

    DEFINITION = "defines a term"
    PENALTY = "is about penalties or claims"
    RECITAL = "gives reasons or history"
    REPORT = "reports, and rules nothing"
    FREEDOM = "leaves something free"
    ADVICE = "recommends only"


_NO_RULES = (
    (
        NoRule.DEFINITION,
        (
            r"^(?:[(\w. )]{0,12})?(?:in (?:this|these) [\w ,]+,? |for the purposes of [\w ,]+,? "
            r"|as used in [\w ,]+,? )?\"[^\"]{2,80}\"(?:,? (?:or|and) \"[^\"]+\")* (?:means|includes"
            r"|has the meaning|is any|refers to)\b"
        ),
    ),
    (NoRule.DEFINITION, r"\bas used in this\b.*\bmeans\b|^definitions?\b"),
    (NoRule.RECITAL, r"^(?:\(\d+\) ?)?(?:whereas|having regard|in the past|recalling|considering)\b|\bin the past\b"),
    (
        NoRule.REPORT,
        (
            r"\b(?:warned|announced|is expected|are expected|considered (?:whether|that|a)|would (?:consider|cost"
            r"|be)|reported|complained|welcomed|was found|published a|annual report|on average)\b"
        ),
    ),
    (
        NoRule.PENALTY,
        (
            r"\b(?:fines?|penalt(?:y|ies)|imprisonment|liable|damages|punishable|bring an action|offen[cs]es?"
            r"|recover|sanctions?|surcharge|licen[cs]e may be (?:suspended|revoked)"
            r"|violations?(?! of this section (?:may|shall) not)|infringements?|guilty)\b"
        ),
    ),
    (
        NoRule.FREEDOM,
        (
            r"\bnothing in\b.{0,80}\b(?:prohibits|prevents|restricts|applies|requires)\b|\b(?:needs?"
            r"|requires?) no (?:consent|permission|opt-in)\b|\bno consent is (?:needed|required)\b"
            r"|\bat any (?:time|hour)\b|\bthere is no limit\b|\bwithout limit\b|\bmay be sent (?:freely"
            r"|without consent)\b|\bconsent is not (?:needed|required)\b|\b(?:does|do|shall|need) not (?:require"
            r"|need)\b.{0,40}\b(?:consent|permission|opt-in)\b"
        ),
    ),
    (
        NoRule.ADVICE,
        (
            r"\b(?:we recommend|is recommended|are recommended|recommends?|good practice|best practice"
            r"|it is advisable|advised to)\b"
        ),
    ),
)
_NO_RULE_PATTERNS = tuple((reason, re.compile(pattern)) for reason, pattern in _NO_RULES)
_STILL_FORBIDS = re.compile(
    r"\b(?:may|shall|must) not (?:be )?(?:ma[dk]e|sen[dt]|plac\w+|call\w*|transmit\w*|initiate\w*|contact\w*)\b"
    r"|\bno (?:person|one|sender|caller|seller) (?:may|shall)\b"
)


def no_rule(words: str) -> NoRule | None:
    """Why a passage rules nothing, if there is a sign of that."""
    for reason, pattern in _NO_RULE_PATTERNS:
        if pattern.search(words) and not (reason is NoRule.PENALTY and _STILL_FORBIDS.search(words)):
            return reason
    return None


def forbids(words: str) -> bool:
    return _FORBIDS.search(words) is not None


def asks(words: str) -> bool:
    """Whether it demands something, or allows it on a condition."""
    return _ASKS.search(words) is not None


def allows(words: str) -> bool:
    return _ALLOWS.search(words) is not None


def is_weak(words: str) -> bool:
    """Whether it says `should` where others say `must`."""
    return _WEAK.search(words) is not None and not re.search(r"\b(?:must|shall|may not)\b", words)


def rules(words: str) -> bool:
    """Whether a passage has the sound of a rule at all."""
    return forbids(words) or asks(words) or re.search(r"\bmay only\b", words) is not None


def sense_at(words: str, start: int) -> Sense | None:
    """What is done with what stands at a place: by the nearest word before it that says so, else the first after it."""
    marks = sorted(
        [(match.start(), match.end(), Sense.FORBIDS) for match in _FORBIDS.finditer(words)]
        + [(match.start(), match.end(), Sense.ALLOWS) for match in _ALLOWS.finditer(words)]
    )
    marks = [
        mark
        for mark in marks
        if mark[2] is Sense.FORBIDS
        or not any(other[2] is Sense.FORBIDS and other[0] <= mark[0] < other[1] for other in marks)
    ]
    before = [mark for mark in marks if mark[0] < start]
    sense = before[-1][2] if before else marks[0][2] if marks else None
    if sense is Sense.FORBIDS and before and _BUT_WITHIN.search(words[before[-1][1] : start].rstrip()):
        return Sense.ALLOWS
    return sense
