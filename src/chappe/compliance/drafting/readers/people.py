"""Who may get a message and in what language: ages, languages, registers of those who want none."""

from __future__ import annotations

import re
from typing import Any

from chappe.compliance.drafting.canonical import plain
from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Doubt, Finding, Scope
from chappe.compliance.drafting.modality import asks, forbids
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.periods_said import PERIOD, said

_UNDER = re.compile(r"\b(?:under|below|younger than|less than)(?: the)?(?: age)?(?: of)? (?P<age>\d{1,2})\b")
_MINORS = re.compile(r"\bminors?\b")
_PARENT = re.compile(r"\b(?:parent\w*|guardian)\b")
_OWN_OPT_IN = re.compile(r"\bopt(?:ed)?[- ]in\b")
_SUBJECTS = (("gambling", r"\bgambling|\bbetting"), ("alcohol", r"\balcohol\w*"), ("tobacco", r"\btobacco"))
_MAJORITY_YEARS = 18

_LANGUAGES = {
    "arabic": "ar", "bengali": "bn", "bulgarian": "bg", "catalan": "ca", "chinese": "zh", "croatian": "hr",
    "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi",
    "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu",
    "indonesian": "id", "irish": "ga", "italian": "it", "japanese": "ja", "korean": "ko", "latvian": "lv",
    "lithuanian": "lt", "malay": "ms", "norwegian": "no", "polish": "pl", "portuguese": "pt", "romanian": "ro",
    "russian": "ru", "slovak": "sk", "slovenian": "sl", "spanish": "es", "swedish": "sv", "tamil": "ta",
    "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi", "welsh": "cy",
}  # fmt: skip
_NAMES = "|".join(_LANGUAGES)
_IN_LANGUAGE = re.compile(
    rf"\b(?:in|into)(?: both| the)? (?P<first>{_NAMES})(?: language)?(?:,? (?P<join>and"
    rf"|or)(?: in)? (?P<second>{_NAMES}))?\b"
)
_DRAWN_UP = re.compile(r"\b(?:be|written|drawn up|drafted|available|provided|sent|given|worded|translated)\b")
_OPT_OUT = re.compile(r"\b(?:unsubscri\w+|opt-?out|refus\w+)\b")
_UNLESS_CHOSEN = re.compile(r"\bunless\b.{0,60}\b(?:asked|chosen|chose|requested|prefers?|agreed)\b")

_REGISTRY = re.compile(
    r"\b((?:[A-Z][\w']*[ -]){0,4}?(?:Do[ -]Not[ -](?:Call|Contact|Disturb)|No[ -]Call|Preference|Robinson"
    r"|Opt[ -]?Out)(?:[ -](?:Service|Listing))?(?:[ -](?:Register|Registry|List|list|register|registry))?)"
)
_REGISTRY_PLAIN = re.compile(
    r"\b(?:do[ -]not[ -](?:call|contact|disturb)|no-call|preference|opt-?out) (?:register|registry|list)\b"
)
_CHECK = re.compile(
    r"\b(?:check\w*|consult\w*|scrub\w*|screen\w*|wash\w*|compare\w*|listed|entered|on the|registered)\b"
)
_THE_LIST = re.compile(r"\b(?:list|register|registry|copy|version)\b")
_FRESH = re.compile(
    rf"\b(?:no older than|not older than|(?:at least |once )?every|older than|more than|within the (?:last"
    rf"|preceding|previous)|in the (?:last|preceding)) {PERIOD}"
)
_LISTED_FOR = re.compile(rf"\bon the .{{0,60}}\bfor (?:more than|at least|longer than) {PERIOD}")


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    return _registry(passage, words, context) or _age(passage, words, context) or _language(passage, words, context)


def _age(passage: Passage, words: str, context: Context) -> list[Finding]:
    under = _UNDER.search(words)
    minors = _MINORS.search(words)
    if (under is None and minors is None) or not context.is_of_messages(passage) or not (forbids(words) or asks(words)):
        return []
    age = int(under["age"]) if under else _MAJORITY_YEARS
    doubts = () if under else (Doubt(0.1, f"minors are taken to be people under {_MAJORITY_YEARS}"),)
    if _PARENT.search(words):
        needs = "parental_consent"
    elif _OWN_OPT_IN.search(words):
        needs = "opt_in"
    elif forbids(words):
        needs = "nothing_helps"
    else:
        return []
    scope = context.scope(passage)
    categories = tuple(name for name, pattern in _SUBJECTS if re.search(pattern, words))
    if categories:
        scope = Scope(
            scope.jurisdiction, scope.channels, scope.applies_to, categories, scope.effective_from, scope.doubts
        )
    return [_found("age_gate", {"min_age": age, "needs": needs}, passage, scope, "block", doubts)]


def _language(passage: Passage, words: str, context: Context) -> list[Finding]:
    named = _IN_LANGUAGE.search(words)
    if named is None or not asks(words) or not _DRAWN_UP.search(words) or not context.is_of_messages(passage):
        return []
    must = [_LANGUAGES[name] for name in (named["first"], named["second"]) if name]
    doubts: tuple[Doubt, ...] = ()
    if named["join"] == "or":
        must, doubts = must[:1], (Doubt(0.2, "either language will do, and a rule can only ask for one"),)
    parameters: dict[str, Any] = {"must_include": must}
    if _OPT_OUT.search(words):
        parameters["of"] = "opt_out"
    if _UNLESS_CHOSEN.search(words):
        parameters["unless_chosen"] = True
    return [
        _found(
            "language",
            parameters,
            passage,
            context.scope(passage),
            "require" if "of" in parameters else "annotate",
            doubts,
        )
    ]


def _registry(passage: Passage, words: str, context: Context) -> list[Finding]:
    named = _REGISTRY.search(plain(passage.text))
    fresh = _FRESH.search(words)
    grace = _days(_LISTED_FOR.search(words))
    age = None if grace else _days(fresh)
    if named is not None and _CHECK.search(words) and (forbids(words) or asks(words)):
        name = re.sub(r"^(?:The|Each|Any|No) ", "", named[1])
        parameters: dict[str, Any] = {"registry": name}
        if age:
            parameters["max_scrub_age_days"] = age
        if grace:
            parameters["grace_days"] = grace
        return [_registry_found(parameters, passage, context, completes=False)]
    earlier = context.before(passage)
    about = earlier is not None and (
        _REGISTRY.search(plain(earlier.text)) or _REGISTRY_PLAIN.search(earlier.text.lower())
    )
    if about and age and _THE_LIST.search(words) and (forbids(words) or asks(words) or " may be " in words):
        return [_registry_found({"max_scrub_age_days": age}, passage, context, completes=True)]
    return []


def _days(found: re.Match[str] | None) -> int | None:
    if found is None:
        return None
    time = said(found)
    days = {"day": 1, "week": 7, "month": 30}.get(time.unit)
    return None if days is None or time.sort else time.count * days


def _registry_found(parameters: dict[str, Any], passage: Passage, context: Context, *, completes: bool) -> Finding:
    return Finding(
        kind="dnc_registry",
        parameters=parameters,
        passage=passage,
        scope=context.scope(passage),
        action="block",
        completes=completes,
    )


def _found(
    kind: str, parameters: dict[str, Any], passage: Passage, scope: Scope, action: str, doubts: tuple[Doubt, ...]
) -> Finding:
    return Finding(
        kind=kind, parameters=parameters, passage=passage, scope=scope, action=action, doubts=doubts, alone=True
    )
