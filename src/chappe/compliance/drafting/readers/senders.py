"""Who sends: the particulars that messages show, postal addresses, and registers of senders."""

from __future__ import annotations

import re
from typing import Any

from chappe.compliance.drafting.canonical import plain
from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Doubt, Finding
from chappe.compliance.drafting.modality import asks, forbids
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.periods_said import period_in

_STATES = re.compile(
    r"\b(?:must|shall|should|has to|have to|required to|to) (?:\w+ ){0,3}?(?:identify|state|include"
    r"|set out|contain|display|show|give|disclose|provide|carry|indicate|bear)s?\b"
)
_POSTAL = (
    r"\b(?:(?:valid |physical |registered )*(?:postal|mailing|street|physical(?: postal)?|business) address(?:es)?)\b"
)
_DETAILS = r"\bcontact (?:details|information)\b"
_PARTICULARS: tuple[tuple[Any, str], ...] = (
    (
        "business_name",
        (
            r"\bname of (?:the|its|their) (?:business|company|organi[sz]ation|firm|trader|seller)\b|\b(?:business"
            r"|company|trading|legal) name\b"
            r"|\bidentify (?:the |its )?(?:business|company|organi[sz]ation|firm|seller)\b"
            r"|\bidentity of the (?:business|company|organi[sz]ation|seller)\b"
        ),
    ),
    (
        "name",
        (
            r"\bname of the (?:person|sender|advertiser|caller)\b|\b(?:the|sender's|caller's|its|their) name\b"
            r"|\b(?:the|its|their) name,|\bidentify the (?:sender|person|caller)\b|\bidentity of the (?:sender"
            r"|person|caller)\b"
        ),
    ),
    ("phone", r"\b(?:(?:tele)?phone|contact|call-?back) number\b"),
    ("email", r"\be-?mail address\b"),
    ("website", r"\bweb ?(?:site|address|page)\b"),
    (["phone", "email", "website", "postal_address"], _DETAILS),
)
_AT_START = re.compile(r"\bat the (?:start|beginning|outset) of (?:each|the|every|any) (?:call|message|text)\b")
_HOLDS = (
    r"\b(?:remain\w*|stay\w*|be) (?:valid|accurate|correct|functional"
    r"|current)\b.{0,20}?\bfor (?:at least |a minimum of )?~"
)
_OTHER_MATTER = re.compile(
    r"\b(?:followed by|records? of|keep a record|repl(?:y|ies) (?:of|to)|keywords?|subject (?:line"
    r"|heading)|collect\w*|record the|unsubscribe by)\b"
)

_REGISTERED = re.compile(
    r"\b(?:regist(?:er|ered|ration)|certificate of registration|pre-?registered|enrol(?:led|ment))\b"
)
_SENDERS = re.compile(
    r"\b(?:sender(?:'s)? (?:ids?|names?|identif\w+)|headers?|alphanumeric|short ?codes?|long ?codes?"
    r"|toll-free numbers?|sellers?|telemarketers?|solicitors?"
    r"|campaigns?|brands?|senders?|numbers used)\b"
)
_REGISTER = re.compile(
    r"\b(?:with|from|by|in|on) (?:the )?((?:[A-Z][\w&.-]*)(?: (?:of|for|and|the|&|[A-Z][\w&.-]*|ID))*)"
)
_NO_REGISTER = re.compile(r"^(?:SMS|MMS|Section|Article|Part|I|The|A)$")
_TYPES = (
    ("alphanumeric", r"\balphanumeric\b"),
    ("short_code", r"\bshort ?codes?\b"),
    ("toll_free", r"\btoll-free\b"),
    ("long_code", r"\b(?:10dlc|long ?codes?|10-digit)\b"),
)
_NOT_CONTACTS = re.compile(
    r"\b(?:do not call|no-call|opt-?out|preference|unsubscribe) (?:list|regist\w+)\b"
    r"|\bregistered (?:office|user|at registration)\b"
)


def particulars_in(words: str) -> list[Any]:
    """What of the sender is named, as `sender_identity` has it; one of several where they are joined by "or"."""
    found = [name for name, pattern in _PARTICULARS if re.search(pattern, words)]
    if "name" not in found and "business_name" not in found and re.search(r"\bthe name\b|\bname (?:and|,)", words):
        found.insert(0, "name")
    if "phone" in found and re.search(r"\bnumber or (?:an? )?(?:\w+ )?(?:e-?mail |web)?(?:address|site)", words):
        joined = [name for name in ("phone", "email", "website") if name in found]
        if re.search(_POSTAL, words) or re.search(r"\bnumber or (?:an? )?address", words):
            joined.append("postal_address")
        found = [name for name in found if name not in joined] + ([joined] if len(joined) > 1 else joined)
    return found


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    return _registration(passage, words, context) or _identity(passage, words, context)


def _identity(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not context.is_of_messages(passage):
        return []
    holds = period_in(_HOLDS, words)
    days = holds.count if holds is not None and holds.unit == "day" and not holds.sort else None
    if not _STATES.search(words) or _OTHER_MATTER.search(words):
        return []
    fields = particulars_in(words)
    in_alternative = any(isinstance(entry, list) and "postal_address" in entry for entry in fields)
    found = []
    scope = context.scope(passage)
    valid = {"valid_days": days} if days else {}
    if fields:
        place = {"place": "start"} if _AT_START.search(words) else {}
        found.append(
            Finding(
                kind="sender_identity",
                parameters={"fields": fields} | place | valid,
                passage=passage,
                scope=scope,
                action="require",
            )
        )
    if re.search(_POSTAL, words) and not in_alternative:
        found.append(
            Finding(
                kind="postal_address",
                parameters={} if fields else dict(valid),
                passage=passage,
                scope=scope,
                action="require",
            )
        )
    return found


def _registration(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not _REGISTERED.search(words) or not _SENDERS.search(words) or _NOT_CONTACTS.search(words):
        return []
    if not (asks(words) or forbids(words) or passage.key):
        return []
    raw = plain(passage.text)
    named = [match[1] for match in _REGISTER.finditer(raw) if not _NO_REGISTER.match(match[1])]
    if not named:
        return []
    register = re.sub(r" (?:of|for|and|the)$", "", named[-1]).rstrip(".,")
    parameters: dict[str, Any] = {"register": register}
    types = [name for name, pattern in _TYPES if re.search(pattern, words)]
    if types:
        parameters["sender_types"] = types
    doubts = (
        (Doubt(0.1, f"several bodies are named ({', '.join(named)}), and the last is taken"),) if len(named) > 1 else ()
    )
    return [
        Finding(
            kind="sender_registration",
            parameters=parameters,
            passage=passage,
            scope=context.scope_of_sentence(passage),
            action="block",
            alone=True,
            doubts=doubts,
        )
    ]
