"""Opting out: by when a request is met, for how long it is kept, the words people answer with, and the way out that
each message shows.
"""

from __future__ import annotations

import re
from typing import Any

from chappe.compliance.drafting.canonical import plain
from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Doubt, Finding
from chappe.compliance.drafting.modality import asks, rules
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.periods_said import PERIOD, Said, period_in, said

_REQUEST = re.compile(
    r"\b(?:opt(?:s|ed|ing)?[- ]?outs?|unsubscrib\w+|objection|objects?|objected|refus(?:al|es?|ed)"
    r"|do-not-(?:call|contact)|withdraw\w*|revo[ck]\w*"
    r"|no longer wish\w*|asks? (?:not to|to stop)|asked not to|stop requests?|wishes to stop)\b"
)
_WITHIN = re.compile(
    rf"\b(?:within|(?:no|not) later than|at the latest(?: within)?|in (?:no more|not more) than"
    rf"|in at most)(?: a (?:period|maximum) of| at most)? {PERIOD}"
)
_MET = re.compile(
    r"\b(?:honou?r\w*|process\w*|give effect|given effect|carried out|cease\w*|stop\w*|compl(?:y|ied)"
    r"|respected|implement\w*|action(?:ed)?|removed?"
    r"|take effect|met|acted (?:up)?on|effective)\b"
)
_AT_ONCE = re.compile(r"\b(?:immediately|without delay|at once|forthwith|straight away|with immediate effect)\b")
_KEPT_FOR = (
    r"\b(?:honou?r\w*|respected|observed?|remain(?:s)? (?:in force"
    r"|effective))\b.{0,80}?\bfor (?:at least |a minimum of |a period of )?~"
)
_NOT_HERE = re.compile(r"\b(?:eras\w+|delet\w+|similar (?:products?|goods))\b")
_CONFIRMING = re.compile(
    r"\b(?P<count>1|a single|no more than 1|only 1|an?) (?:[a-z-]+ ){0,3}?(?:messages?|texts?|repl(?:y"
    r"|ies)|confirmations?)\b.{0,20}\bconfirm\w*|\bconfirm\w*.{0,20}\b(?:opt-?out|unsubscri)"
)
_ENTRY = re.compile(r"\b(?:opt-?outs?|unsubscribe|objections?)\b")
_ANSWERS = re.compile(
    r"\b(?:repl(?:y|ies|ied)|keywords?|answers? with|texts? (?:back|the word)|responds? with|the words?)\b"
)
_STOPPING = re.compile(r"\b(?:opt(?:s|ing)? ?-?out|unsubscribe|no (?:further|more)|stop|end)\b")
_QUOTED = re.compile(r'"([^"]{1,40})"')
_CAPITALS = re.compile(r"\b[A-Z]{3,}(?:-[A-Z]+)?\b")
_NO_KEYWORDS = frozenset(
    {"SMS", "MMS", "URL", "USA", "UAE", "THE", "AND", "NOT", "FAQ", "CTIA", "TCPA", "FCC", "API", "DLT"}
)

_WAY_OUT = (
    r"(?:unsubscri(?:be|ption)(?: (?:mechanism|facility|link|option|function))?"
    r"|opt[- ]?out(?: (?:mechanism|link|option|facility|function))?"
    r"|means of (?:refusing|objecting|opting out)|way (?:to opt out|of opting out|to unsubscribe"
    r"|to refuse)|statement of .{0,20}way to opt out)"
)
_SHOWS = re.compile(
    rf"\b(?:include|contain|carry|provide|offer|have|set out|give|support|display)s?\b[^.;]{{0,120}}?\b{_WAY_OUT}"
    r"|\bable to (?:unsubscribe|opt out)|\bsimple way to opt out|\bhow to (?:unsubscribe|opt out)"
)
_IS_WAY_OUT = re.compile(
    rf"^(?:the|this|such|that|every|each|an?|any) (?:functional )?{_WAY_OUT}|^the (?:facility|mechanism|link|option)\b"
)
_WORKS = (
    r"\b(?:functional|available|operational|work\w*|valid|active|usable)\b.{0,40}?\bfor (?:at least "
    r"|a minimum of |no less than )?~"
)
_FREE = re.compile(
    r"\bfree of charge\b|\bat no cost\b|\bcost-?free\b|\bwithout (?:charge|cost)\b|\bfree (?:means|way|number|of)\b"
)
_NO_LOGIN = re.compile(r"\bwithout (?:having to |needing to |a )?log(?:ging)?[- ]?in\b|\bno log-?in\b")
_STEPS = re.compile(
    r"\b(?:in|with|by) (?:a |no more than |at most )?(?:single|1) (?:step|click|action)\b|\b(?:in"
    r"|with) (?:at most|no more than) (?P<n>\d) (?:steps?|clicks?)"
)
_ONE_CLICK = re.compile(r"\b1[- ]click unsubscri\w+|\blist-unsubscribe\b")
_BULK = re.compile(
    r"\bmore than (\d{2,7}) (?:[a-z-]+ )*?(?:messages?|e-?mails?)(?: [a-z]+){0,3} (?:an?|per|each) day\b"
)
_SAME_CHANNEL = re.compile(r"\bsame (?:means|medium|channel|method)\b")
_IN_LANGUAGE = re.compile(r"\b(?:statement|notice|facility)\b.{0,60}\bbe in\b")


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    if _NOT_HERE.search(words):
        return []
    keywords = _keywords(passage, words, context)
    if keywords:
        return keywords
    return _honouring(passage, words, context) + _way_out(passage, words, context)


def _honouring(passage: Passage, words: str, context: Context) -> list[Finding]:
    entry = bool(passage.key) and _ENTRY.search(passage.key) is not None and "retention" not in passage.key
    if (
        not (_REQUEST.search(words) and (rules(words) or _AT_ONCE.search(words) or _CONFIRMING.search(words)))
        and not entry
    ):
        return []
    within = _WITHIN.search(words)
    confirming = _CONFIRMING.search(words)
    if confirming is not None and re.search(r"\b(?:may|can|only|more than|single|must)\b", words):
        return _confirmation(passage, context, said(within) if within else None)
    parameters: dict[str, Any] = {}
    doubts: tuple[Doubt, ...] = ()
    if within is not None and (entry or _MET.search(words)):
        deadline, doubts = _deadline(said(within))
        parameters |= deadline
    elif _AT_ONCE.search(words) and (entry or _MET.search(words)) and not re.search(r"\bagain\b", words):
        parameters |= {"deadline": 0, "unit": "days"}
    kept = period_in(_KEPT_FOR, words)
    if kept is not None and kept.period is not None:
        parameters["keep_for"] = kept.period
    if not parameters:
        return []
    return [_found("opt_out_honour", parameters, passage, context, "block", doubts)]


def _confirmation(passage: Passage, context: Context, within: Said | None) -> list[Finding]:
    confirmation: dict[str, Any] = {"max": 1}
    if within is not None and within.period is not None:
        confirmation["within"] = within.period
    return [
        _found(
            "opt_out_honour",
            {"confirmation": confirmation, "confirmation_only": True},
            passage,
            context,
            "block",
            alone=True,
        )
    ]


def _deadline(time: Said) -> tuple[dict[str, Any], tuple[Doubt, ...]]:
    if time.unit == "hour":
        return {"deadline": time.count, "unit": "hours"}, ()
    if time.unit == "month":
        return {"deadline": time.count * 30, "unit": "days"}, (Doubt(0.1, "a month is taken as 30 days"),)
    count = time.count * (7 if time.unit == "week" else 1)
    unit = {"business": "business_days", "working": "working_days"}.get(time.sort, "days")
    return {"deadline": count, "unit": unit}, ()


def _keywords(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not _ANSWERS.search(words):
        return []
    raw = plain(passage.text)
    named = list(dict.fromkeys([*_QUOTED.findall(raw), *_CAPITALS.findall(_QUOTED.sub(" ", raw))]))
    named = [word.strip(".,") for word in named if word not in _NO_KEYWORDS]
    if named == ["HELP"] or (named and all(word in ("HELP", "INFO") for word in named)):
        items = (("brand_name", r"\bbrand\b|\bname\b"), ("support_contact", r"\b(?:support|contact|help ?line)\b"))
        reply = [item for item, pattern in items if re.search(pattern, words)]
        parameters = {"keywords": named, "intent": "help"} | ({"reply": reply} if reply else {})
        return [_found("opt_out_keyword", parameters, passage, context, "require", alone=True)]
    if named and _STOPPING.search(words):
        keywords = [word for word in named if word != "HELP"]
        return [_found("opt_out_keyword", {"keywords": keywords}, passage, context, "require", alone=True)]
    return []


def _way_out(passage: Passage, words: str, context: Context) -> list[Finding]:
    if _IN_LANGUAGE.search(words) or not asks(words):
        return []
    one_click = _ONE_CLICK.search(words) is not None
    shows = _SHOWS.search(words) is not None
    about = _IS_WAY_OUT.search(words) is not None
    if not (one_click or shows or about):
        return []
    parameters: dict[str, Any] = {}
    if one_click:
        parameters["one_click"] = True
        bulk = _BULK.search(words)
        if bulk is not None:
            parameters["bulk_per_day"] = int(bulk[1])
    elif shows:
        parameters["statement"] = True
    works = period_in(_WORKS, words)
    if works is not None and works.unit == "day" and not works.sort:
        parameters["works_days"] = works.count
    if _FREE.search(words):
        parameters["free"] = True
    if _NO_LOGIN.search(words):
        parameters["login_allowed"] = False
    steps = _STEPS.search(words)
    if steps is not None and not one_click:
        parameters["steps_max"] = int(steps["n"] or 1)
    if _SAME_CHANNEL.search(words):
        parameters["same_channel"] = True
    if not parameters:
        return []
    return [_found("unsubscribe_mechanism", parameters, passage, context, "require")]


def _found(
    kind: str,
    parameters: dict[str, Any],
    passage: Passage,
    context: Context,
    action: str,
    doubts: tuple[Doubt, ...] = (),
    *,
    alone: bool = False,
) -> Finding:
    return Finding(
        kind=kind,
        parameters=parameters,
        passage=passage,
        scope=context.scope(passage),
        action=action,
        doubts=doubts,
        alone=alone,
    )
