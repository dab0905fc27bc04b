"""What messages may not be about, and links they may not carry."""

from __future__ import annotations

import re

from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Finding
from chappe.compliance.drafting.modality import forbids
from chappe.compliance.drafting.passages import Passage

_SUBJECTS = (
    ("sex", r"\bsexual (?:services|offers)\b"),
    ("adult", r"\bporno\w*\b|\badult (?:content|services|entertainment)\b|\bobscen\w+\b"),
    ("hate", r"\bhate(?: speech)?\b|\bhatred\b"),
    ("alcohol", r"\balcohol\w*\b|\bliquor\b"),
    ("firearms", r"\b(?:firearms?|weapons?|guns?|ammunition)\b"),
    ("tobacco", r"\btobacco\b|\bcigarettes?\b|\bvap(?:es?|ing)\b"),
    ("cannabis", r"\bcannabis\b|\bmarijuana\b"),
    ("gambling", r"\bgambling\b|\bbetting\b|\blotter(?:y|ies)\b"),
    ("political", r"\bpolitic\w+\b"),
    ("loans", r"\bloans?\b|\bpayday\b|\blending\b"),
    ("securities", r"\bsecurities\b|\bstock tips?\b"),
    ("crypto", r"\bcrypto\w*\b|\bvirtual currenc\w+\b"),
)
_ABOUT = re.compile(
    r"\b(?:advertis\w*|promot\w*|contain\w*|concern\w*|relat\w* to|about|content on|offer\w*|market\w*"
    r"|refer\w* to)\b(?P<what>[^.;]*)"
)
_SHORTENERS = re.compile(
    r"\b(?:url|link) shorten\w+\b|\bshortened (?:links?|urls?)\b|\bshort (?:links?|urls?)\b|\bshorteners?\b"
)
_LINKS = re.compile(r"\bnot (?:contain|include|carry) (?:any )?(?:hyper)?(?:links?|urls?)\b")
_AGED = re.compile(r"\b(?:under|below|younger than|minors?|child(?:ren)?)\b")


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not forbids(words) or not context.is_of_messages(passage) or _AGED.search(words):
        return []
    parameters: dict[str, object] = {}
    about = _ABOUT.search(words)
    if about is not None:
        subjects = [
            (match.start(), name) for name, pattern in _SUBJECTS if (match := re.search(pattern, about["what"]))
        ]
        if subjects:
            parameters["subjects"] = [name for _, name in sorted(subjects)]
    if _SHORTENERS.search(words):
        parameters["shorteners"] = False
    elif _LINKS.search(words):
        parameters["links"] = False
    if not parameters:
        return []
    return [
        Finding(
            kind="content_prohibited",
            parameters=parameters,
            passage=passage,
            scope=context.scope_of_sentence(passage),
            action="block",
            alone=True,
        )
    ]
