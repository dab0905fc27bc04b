"""Duties about records and data: how long to keep them at least or at most, erasing them, and where they stay."""

from __future__ import annotations

import re
from typing import Any

from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Doubt, Finding
from chappe.compliance.drafting.modality import asks, forbids
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.periods_said import PERIOD, period_in, said

_KEEP = re.compile(r"\b(?:keep|kept|retain\w*|preserv\w+|retention|archiv\w+)\b")
_RECORDS = (
    ("consent", r"\bconsents?\b|\bopt-?ins?\b"),
    ("opt_out", r"\b(?:opt-?outs?|unsubscri\w+|objections?|refusals?|do-not-(?:call|contact)|withdrawals?)\b"),
    (
        "send_log",
        (
            r"\b(?:send(?:ing)? (?:logs?|records?)|logs? of|delivery (?:logs?|records?)|call (?:logs?|records?)"
            r"|messages sent)\b"
        ),
    ),
    (
        "content",
        r"\b(?:content of (?:the |each )?messages?|scripts?|copies of (?:the |each )?(?:message|advertis\w+))\b",
    ),
    (
        "data_request",
        r"\b(?:records? of (?:consumer |data )?requests|consumer requests|data subject requests|access requests)\b",
    ),
)
_FOR = r"(?:\b(?:for|minimum of|at least|not less than|no less than|retention)\b[^.;]{0,40}?) ~"
_SINCE = (
    ("last_used", r"\blast (?:used?|relied)"),
    ("last_sent", r"\blast (?:messages?|sent|sending|communication)"),
    ("last_contact", r"\blast contact"),
    (
        "relationship_ended",
        r"\bend of the (?:[a-z]+ )?(?:relationship|contract)|\b(?:relationship|contract) (?:has )?ended",
    ),
)
_LONGER = re.compile(rf"\b(?:longer than|more than|beyond|exceed(?:ing)?|after) {PERIOD}")
_DELETED = re.compile(
    rf"\b(?:deleted|erased|destroyed|anonymi[sz]ed)\b.{{0,60}}?\b(?:after|within|no later than|not later than) {PERIOD}"
)
_DATA = re.compile(r"\b(?:personal (?:data|information)|data|information)\b")
_REQUESTED = re.compile(r"\brequest\w*\b")
_ERASE = re.compile(r"\b(?:eras\w+|delet\w+)\b")
_COMPLETE = (
    r"\b(?:eras\w+|delet\w+|carried out|complied with)\b(?:(?!\bwithin\b"
    r"|\breceipt within\b).){0,160}?\b(?:within|in|no later than|not later than|at the latest within"
    r"|latest within) (?:a period of )?~"
)
_ACKNOWLEDGE = r"\b(?:confirm|acknowledge)\w*(?: its| the)? receipt\b.{0,30}?\bwithin ~"
_EXTENDED = r"\bextend\w*\b.{0,30}?\b(?:by|for)(?: up to)?(?: an| a)?(?: another| further| additional)? ~"
_STAYS = re.compile(
    r"\b(?:stored|kept|located|held|processed|hosted)\b.{0,60}\b(?:in|within)\b.{0,40}\b(?:territory"
    r"|country|kingdom|republic|union|federation|borders)\b"
)
_LEAVES = re.compile(r"\b(?:transfer\w*|leave|moved|exported?|sent|stored|processed)\b.{0,40}\boutside\b")
_DATABASE = re.compile(r"\bdatabases?\b")
_RECORD_OF = re.compile(r"\b(?:keep|maintain|make)s?\b(?: an?| the| written| accurate| its| complete)* records?\b")


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    return _erasure(passage, words, context) or _residency(passage, words, context) or _keeping(passage, words, context)


def _keeping(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not _KEEP.search(words) and not _RECORD_OF.search(words):
        most = _DELETED.search(words)
        return _at_most(passage, words, context, most) if most and _DATA.search(words) and asks(words) else []
    longer = _LONGER.search(words)
    if longer is not None and forbids(words):
        return _at_most(passage, words, context, longer)
    records = [name for name, pattern in _RECORDS if re.search(pattern, words)]
    if not records or forbids(words) or not (asks(words) or passage.key):
        return []
    scope = context.scope(passage)
    if scope.channels == ("any",):
        scope = context.scope_of_data(passage)
    period = period_in(_FOR, words)
    if period is None or period.period is None:
        if not _RECORD_OF.search(words):
            return []
        return [
            Finding(
                kind="record_keeping",
                parameters={"records": records},
                passage=passage,
                scope=scope,
                action="require",
                alone=True,
            )
        ]
    parameters: dict[str, Any] = {"records": records, "keep": period.period} | _since(words)
    return [
        Finding(kind="retention_min", parameters=parameters, passage=passage, scope=scope, action="require", alone=True)
    ]


def _at_most(passage: Passage, words: str, context: Context, found: re.Match[str]) -> list[Finding]:
    period = said(found).period
    if period is None:
        return []
    parameters: dict[str, Any] = {"keep": period} | _since(words)
    if re.search(r"\bprospect\w*\b|\bnot become (?:a )?customer", words):
        parameters["subject"] = "prospect"
    elif re.search(r"\bchild(?:ren)?\b", words):
        parameters["subject"] = "child"
    scope = context.scope_of_data(passage)
    return [
        Finding(kind="retention_max", parameters=parameters, passage=passage, scope=scope, action="require", alone=True)
    ]


def _since(words: str) -> dict[str, Any]:
    return next(({"since": name} for name, pattern in _SINCE if re.search(pattern, words)), {})


def _erasure(passage: Passage, words: str, context: Context) -> list[Finding]:
    earlier = context.before(passage)
    goes_on = earlier is not None and _ERASE.search(earlier.text.lower()) is not None
    parameters: dict[str, Any] = {}
    doubts: list[Doubt] = []
    if _ERASE.search(words) and _REQUESTED.search(words) and asks(words):
        for name, pattern in (("acknowledge", _ACKNOWLEDGE), ("complete", _COMPLETE)):
            time = period_in(pattern, words)
            if time is not None and time.period is None:
                doubts.append(
                    Doubt(0.1, f"{name} is said in days of work, which such a rule cannot have, and was left out")
                )
            elif time is not None:
                parameters[name] = time.period
        goes_on = True
    extended = period_in(_EXTENDED, words)
    if goes_on and extended is not None and extended.period is not None:
        parameters["extension"] = extended.period
    if not parameters:
        return []
    return [
        Finding(
            kind="erasure",
            parameters=parameters,
            passage=passage,
            scope=context.scope_of_data(passage),
            action="require",
            doubts=tuple(doubts),
            completes="complete" not in parameters,
        )
    ]


def _residency(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not _DATA.search(words):
        return []
    leaves = _LEAVES.search(words) is not None and forbids(words)
    stays = _STAYS.search(words) is not None and asks(words) and not forbids(words)
    scope = context.scope_of_data(passage)
    if not (leaves or stays) or scope.jurisdiction == "*":
        return []
    region = "EEA" if scope.jurisdiction == "EU" else scope.jurisdiction.partition("-")[0]
    parameters: dict[str, Any] = {"region": region}
    if stays and _DATABASE.search(words):
        parameters["primary_database"] = True
    return [
        Finding(kind="data_residency", parameters=parameters, passage=passage, scope=scope, action="block", alone=True)
    ]
