"""How many messages in which time, and pauses: `no more than three in any 24 hours`, `not again for sixty days`."""

from __future__ import annotations

import re
from typing import Any

from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Doubt, Finding, Scope
from chappe.compliance.drafting.modality import forbids, rules
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.periods_said import PERIOD, said

_MESSAGE = (
    r"(?:calls?|messages?|texts?|sms|mms|e-?mails?|newsletters?|notifications?|solicitations?"
    r"|communications?|contacts?|attempts?)"
)
_LIMIT = (
    r"(?:(?:no|not) more (?:often )?than|more than|at most|(?:a )?maximum(?: number)? of|max\.?|up to"
    r"|limited to|(?:not |never )?exceed(?:ing)?|limit of)"
)
_THINGS = rf"(?:(?: [a-z'-]+){{0,4}}? (?P<noun>{_MESSAGE}|times?)\b)?"
_WINDOW = (
    r"(?:(?:per|an?|each|every|in any(?: (?:given|one|single))?|in an?|in each|within (?:an? "
    r"|any )?(?:period of )?|within any|in|during any|over|within)\s*"
    r"(?P<sliding>rolling |sliding )?(?:calendar )?(?:(?P<number>\d{1,3})[- ](?:consecutive |calendar )?)?"
    r"(?P<unit>minute|hour|day|week|month|year)s?(?P<period>[- ]period)?\b|(?P<adverb>daily|weekly|monthly))"
)
_CAP = re.compile(rf"{_LIMIT} (?P<limit>\d{{1,3}})\b{_THINGS}(?P<between>[^.;<]{{0,140}}?)\b{_WINDOW}")
_FURTHER = re.compile(rf"^,? and (?P<limit>\d{{1,3}})\b{_THINGS}(?P<between>.{{0,30}}?) ?\b{_WINDOW}")
_ENTRY = re.compile(rf"(?P<limit>\d{{1,3}})\b{_THINGS}(?P<between>)\s*{_WINDOW}")
_ENTRY_KEY = re.compile(r"\b(?:frequency|cap|limit|volume|number of messages)\b")
_SAME = re.compile(r"\b(?:same|identical) (?:subject(?: matter)?|matter|product|offer|campaign|topic)\b")
_TOGETHER = re.compile(r"\b(?:combined|together|taken together|in total|altogether)\b")
_REFUSED = re.compile(r"\b(?:refus\w*|declin\w*|object\w*|opts? out|said no|says no)\b")
_PAUSE = re.compile(
    rf"\b(?:again|further|anew)\b.{{0,60}}\b(?:for|within|before|until)(?: at least| a period of)? {PERIOD}"
)
_UNLESS_AGREED = re.compile(r"\bunless .{0,40}\b(?:agreed|consent\w*)")
_MAY = re.compile(r"\b(?:may|can|limited to)\b")
_NOTHING_BETWEEN = re.compile(r"(?: (?:to|for|on|about) .*)?")
_COUNTED = re.compile(r"\b(?:call|contact|send|sent|called|contacted|message)\b")
_LETTER = {"minute": "m", "hour": "h", "day": "d", "month": "mo", "year": "y"}


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not context.is_of_messages(passage):
        return []
    return _caps(passage, words, context) + _pauses(passage, words, context)


def _caps(passage: Passage, words: str, context: Context) -> list[Finding]:
    if passage.key and not _ENTRY_KEY.search(passage.key):
        return []
    if not passage.key and not (rules(words) or _MAY.search(words)):
        return []
    matches = list(_matches(passage, words))
    caps = [(match, _cap(match, words)) for match in matches if _counts_messages(match, passage, words)]
    if not caps:
        return []
    scope = context.scope(passage)
    named = [context.channels_in(match.group()) for match, _ in caps]
    if len({channels for channels in named if channels}) > 1:
        for (_, cap), channels in zip(caps, named, strict=True):
            cap["channels"] = list(channels)
    doubts = [Doubt(0.1, "it lets people agree to more, which a cap cannot")] if _UNLESS_AGREED.search(words) else []
    parameters = {"caps": [cap for _, cap in caps]}
    return [_finding(passage, scope, parameters, tuple(doubts))]


def _matches(passage: Passage, words: str) -> list[re.Match[str]]:
    if passage.key:
        return [match for match in [_CAP.search(words) or _ENTRY.search(words)] if match]
    found = []
    for match in _CAP.finditer(words):
        if match.group().startswith("more than") and not forbids(words):
            continue
        found.append(match)
        further = _FURTHER.search(words[match.end() :])
        if further is not None:
            found.append(further)
    return found


def _counts_messages(match: re.Match[str], passage: Passage, words: str) -> bool:
    if passage.key:
        return True
    noun, between = match["noun"], match["between"]
    if noun is None or noun in ("time", "times"):
        plain_number = noun is not None or _NOTHING_BETWEEN.fullmatch(between.rstrip()) is not None
        return plain_number and (_COUNTED.search(words) is not None or re.search(rf"\b{_MESSAGE}\b", words) is not None)
    return True


def _cap(match: re.Match[str], words: str) -> dict[str, Any]:
    cap: dict[str, Any] = {"limit": int(match["limit"]), "per": _per(match)}
    if _TOGETHER.search(words):
        cap["together"] = True
    if _SAME.search(words):
        cap["same"] = ["event"]
    return cap


def _per(match: re.Match[str]) -> str:
    if match["adverb"]:
        return {"daily": "day", "weekly": "week", "monthly": "month"}[match["adverb"]]
    unit, number = match["unit"], match["number"]
    calendar = number is None and not match["sliding"] and not match["period"]
    if calendar and unit in ("day", "week", "month"):
        return str(unit)
    count = int(number or 1)
    return f"{count * 7}d" if unit == "week" else f"{count}{_LETTER[unit]}"


def _pauses(passage: Passage, words: str, context: Context) -> list[Finding]:
    found = _PAUSE.search(words)
    if found is None or not _REFUSED.search(words) or not forbids(words):
        return []
    period = said(found).period
    if period is None:
        return []
    doubts = (
        (Doubt(0.1, "the pause is for one campaign, and the rule for all messages"),) if _SAME.search(words) else ()
    )
    return [_finding(passage, context.scope(passage), {"after_refusal_wait": period}, doubts)]


def _finding(passage: Passage, scope: Scope, parameters: dict[str, Any], doubts: tuple[Doubt, ...]) -> Finding:
    return Finding(
        kind="frequency_cap",
        parameters=parameters,
        passage=passage,
        scope=scope,
        action="block",
        alone=True,
        doubts=doubts,
    )
