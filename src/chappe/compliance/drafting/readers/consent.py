"""Consent: whether it is needed, how strong, on which terms, what stands in for it, and how it is confirmed."""

from __future__ import annotations

import re
from typing import Any

from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Doubt, Finding
from chappe.compliance.drafting.modality import asks, forbids
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.periods_said import period_in

CONSENT = r"(?:consent\w*|opt(?:ed|s)?[- ]?in|agreed|permission|authori[sz]ation)"
_PARENT = re.compile(r"\b(?:parent\w*|guardian)\b")
_LEVELS = (
    ("written", r"\bwritten\b|\bin writing\b|\bsigned\b"),
    (
        "implied",
        (
            r"\b(?:express|explicit)(?:ed)? (?:or|and) (?:implied|inferred|deemed)\b|\b(?:implied|inferred"
            r"|deemed) (?:or|and) express\b"
        ),
    ),
)
_NOT_WITHOUT = re.compile(
    rf"\b(?:without|unless|except with|other than with|save with|absent|until)\b.{{0,120}}?\b{CONSENT}"
)
_REQUIRED = re.compile(
    rf"\b(?:requires?|needs?|subject to|only (?:with|after|if|where)|must (?:first )?(?:obtain|have|hold)"
    rf"|shall (?:first )?(?:obtain|have)"
    rf"|(?:is|are) required to (?:obtain|have))\b.{{0,80}}?\b{CONSENT}"
    rf"|\b{CONSENT}(?: [a-z-]+){{0,6}} (?:is|are) (?:required|needed|necessary|mandatory)\b"
    rf"|\b(?:consent|opt-in) (?:must|shall) be (?:express|explicit|prior|written|given|obtained|freely)"
)
_PRE_TICKED = re.compile(r"\bpre-?(?:ticked|checked|selected)\b|\b(?:ticked|checked) in advance\b")
_CONDITION = re.compile(r"\bcondition (?:of|for)\b.{0,40}\b(?:purchas\w*|sale|service|contract|buying|transaction)")
_PROOF = re.compile(
    r"\b(?:able to (?:show|prove|demonstrate)|burden of (?:proof|proving)|(?:must|shall) (?:prove|demonstrate))\b"
)
_TRANSFER = re.compile(r"\bnot be (?:transfer\w*|assigned|sold|passed on|shared)\b")
_BOUGHT_LIST = re.compile(r"\b(?:purchased|bought|rented) lists?\b")
_NOT_BY = re.compile(r"\bnot be (?:obtained|given|sought|requested|asked for) (?:by|through|via|over) (.{3,60})")
_EACH_CHANNEL = re.compile(r"\b(?:separate(?:ly)?|specific)\b.{0,40}\b(?:for )?each (?:channel|medium|means)\b")
_AS_EASY = re.compile(r"\bas eas(?:y|ily)\b.{0,60}\bwithdraw\w*|\bwithdraw\w*\b.{0,60}\bas eas(?:y|ily)\b")
_ALREADY = re.compile(r"\bhas (?:obtained|given) (?:a )?(?:prior )?consent\b")
_SALE = re.compile(r"\b(?:sale|purchase|bought)\b")
_SIMILAR = re.compile(r"\bsimilar (?:products?|goods|services?)\b")
_REFUSING = re.compile(r"\b(?:refus\w*|object\w*|opt(?:ing)?[- ]out|unsubscrib\w*|declin\w*)\b")
_AT_COLLECTION = re.compile(r"\bcollect\w*\b|\bwhen (?:the )?(?:contact )?details\b")
_IN_EACH = re.compile(
    r"\b(?:each|every) (?:subsequent |further |later |such )?(?:message|communication|occasion|e-?mail|time)\b"
)
_IMPLIED_WHERE = re.compile(r"\b(?:implied|inferred|deemed)\b.{0,40}\b(?:where|if|when|from)\b")
_BASES = (
    ("purchase", r"\b(?:bought|purchas\w*)\b[^,;]{0,80}?\bwithin (?:the )?(?:last |preceding |previous |past )?~"),
    ("inquiry", r"\b(?:inquir\w*|enquir\w*)\b[^,;]{0,80}?\bwithin (?:the )?(?:last |preceding |previous |past )?~"),
)
_CUSTOMER = (
    r"\b(?:customers?|bought|purchas\w*|business relationship|transaction)\b[^.;]{0,80}?"
    r"\b(?:within|in) (?:the )?(?:last |preceding |previous |past )?~"
)
_FREE_TO = re.compile(
    r"\b(?:may be (?:called|contacted|sent|messaged|texted)|does not apply|without (?:it|consent"
    r"|such consent)|no consent)\b"
)
_ENDS = (
    r"\bconsent\b[^.;]{0,60}?\b(?:expires?|lapses?|ceases?(?: to be valid)?|ends?|is valid(?: only)?"
    r"|remains valid)(?: after| for| on expiry of)? ~"
)
_CONFIRM = r"\b(?:re-?confirm\w*|confirm|renew\w*|refresh\w*)\b[^.;]{0,60}?\bevery ~"
_DOUBLE = re.compile(r"\bdouble[- ]opt-?in\b|\bconfirmed (?:by|through)\b.{0,30}\b(?:click\w*|follow\w*|link)\b")
_LINK_LIVES = (
    r"\blink\b.{0,40}?\b(?:expires?(?: after)?|valid for|is valid|lapses? after|expire after)(?: for| after| within)? ~"
)
_CONFIRMATION_MAIL = re.compile(r"\bconfirmation (?:e-?mail|message)\b")
_NO_ADVERTISING = re.compile(
    r"\bnot contain (?:any )?(?:advertis\w*|marketing|promotion\w*)|\bno (?:advertis\w*|marketing|promotion\w*)"
)
_MEDIA = (("sms", r"\b(?:sms|text)"), ("voice_call", r"\b(?:telephone|phone|call)"), ("email", r"\be-?mail"))
_TIMED = re.compile(r"<\d\d:\d\d>")


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    found = _double_opt_in(passage, words, context)
    if found or _PARENT.search(words):
        return found
    parameters, doubts = _terms(passage, words, context)
    level = _level(passage, words, parameters)
    if level:
        parameters = {"level": level, **parameters}
    if not parameters:
        return []
    return [
        Finding(
            kind="consent_required",
            parameters=parameters,
            passage=passage,
            scope=context.scope(passage),
            action="block",
            doubts=tuple(doubts),
        )
    ]


def _level(passage: Passage, words: str, terms: dict[str, Any]) -> str | None:
    """What is asked for, if the passage asks for a consent of its own."""
    if passage.key == "consent" or passage.key.startswith("consent "):
        return _strength(words)
    if _TIMED.search(words) or _ALREADY.search(words) or {"relationship", "soft_opt_in"} & terms.keys():
        return None
    if re.search(r"\bmore than \d", words) and re.search(r"\bunless\b", words):
        return None
    not_without = _NOT_WITHOUT.search(words)
    if not_without is not None and (forbids(words[: not_without.start()])):
        return _strength(words)
    if _REQUIRED.search(words) and asks(words):
        return _strength(words)
    return None


def _strength(words: str) -> str:
    return next((level for level, pattern in _LEVELS if re.search(pattern, words)), "express")


def _terms(passage: Passage, words: str, context: Context) -> tuple[dict[str, Any], list[Doubt]]:
    found: dict[str, Any] = {}
    doubts: list[Doubt] = []
    about = re.search(rf"\b{CONSENT}", words) is not None
    if _PRE_TICKED.search(words) and (forbids(words) or re.search(r"\bnot\b", words)):
        found["pre_ticked"] = False
    if about and _CONDITION.search(words) and forbids(words):
        found["conditional_on_purchase"] = False
    if about and _PROOF.search(words):
        found["record"] = ["proof"]
    earlier = context.before(passage)
    if (about or (earlier is not None and "consent" in earlier.text.lower())) and _TRANSFER.search(words):
        found["transferable"] = False
    if _BOUGHT_LIST.search(words) and (forbids(words) or " nor " in words):
        found["forbid"] = ["purchased_list"]
    not_by = _NOT_BY.search(words) if about else None
    if not_by is not None:
        media = [medium for medium, pattern in _MEDIA if re.search(pattern, not_by[1])]
        if media:
            found["not_by"] = media
    if about and _EACH_CHANNEL.search(words):
        found["per_channel"] = True
    if _AS_EASY.search(words):
        found["withdraw_as_easy"] = True
    for name, pattern in (("express_for", _ENDS), ("reconfirm_every", _CONFIRM)):
        ends = period_in(pattern, words) if about else None
        if ends is not None and ends.period is not None:
            found[name] = ends.period
    found |= _grounds(words, about)
    return found, doubts


def _grounds(words: str, about: bool) -> dict[str, Any]:
    """What stands in for a consent."""
    if about and _IMPLIED_WHERE.search(words):
        bases = [(basis, period_in(pattern, words)) for basis, pattern in _BASES]
        implied = [{"basis": basis, "within": within.period} for basis, within in bases if within and within.period]
        if implied:
            return {"level": "implied", "implied": implied}
    if _SIMILAR.search(words) and _SALE.search(words):
        conditions = ["address_from_sale", "own_similar_products"]
        if _REFUSING.search(words):
            conditions += ["opt_out_at_collection"] if _AT_COLLECTION.search(words) else []
            conditions += ["opt_out_in_each_message"] if _IN_EACH.search(words) else []
        return {"soft_opt_in": [{"conditions": conditions}]}
    customer = period_in(_CUSTOMER, words)
    if customer is not None and customer.period is not None and _FREE_TO.search(words):
        return {"relationship": {"within": customer.period}}
    return {}


def _double_opt_in(passage: Passage, words: str, context: Context) -> list[Finding]:
    parameters: dict[str, Any] = {}
    if _DOUBLE.search(words):
        parameters["confirm_link"] = True
    lives = period_in(_LINK_LIVES, words)
    if lives is not None and lives.period is not None:
        parameters["token_ttl"] = lives.period
    if _CONFIRMATION_MAIL.search(words) and _NO_ADVERTISING.search(words):
        parameters["confirmation_mail_ad_free"] = True
    if not parameters:
        return []
    return [
        Finding(
            kind="double_opt_in",
            parameters=parameters,
            passage=passage,
            scope=context.scope(passage),
            action="require",
            completes="confirm_link" not in parameters,
        )
    ]
