"""Labels: `the subject must begin with "ADV"`, `sender names shall end in "-AD"`, `must carry the label [QC]`."""

from __future__ import annotations

import re
from typing import Any

from chappe.compliance.drafting.canonical import plain
from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import PROMOTIONAL, Doubt, Finding
from chappe.compliance.drafting.modality import asks
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.readers.senders import particulars_in

_TEXT = re.compile(r'"([^"]{1,60})"|(\[[A-Z]{2,12}\])|(<[A-Z]{2,12}>)')
_START = re.compile(
    r"\b(?:begins?|starts?|commences?|prefix\w*|preceded|open) (?:with|by)\b|\bfirst characters?\b"
    r"|\bat the (?:beginning|start|front)\b|\bprefix\b"
)
_END = re.compile(r"\bends? (?:with|in)\b|\bsuffix\w*\b|\bat the end\b")
_ANYWHERE = re.compile(
    r"\b(?:contain|include|carry|bear|display|show|marked|labell?ed)\b.{0,40}\b(?:words?|phrase|labels?|as)\b"
)
_SUBJECT = re.compile(r"\bsubject (?:line|heading|field)?")
_SENDER = re.compile(r"\bsender(?:'s)? (?:id|ids|names?|identif\w+)\b|\bheaders?\b")
_CHARACTERS = re.compile(r"\b(?:no more than|not more than|at most|maximum of|up to|exceed) (\d{1,2}) characters\b")
_FOLLOWED = re.compile(r"\bfollowed by (.{3,120})")


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    if not asks(words) and not passage.key:
        return []
    texts = [next(part for part in match.groups() if part).strip() for match in _TEXT.finditer(plain(passage.text))]
    texts = [text.rstrip(",.") if len(text) > 1 else text for text in texts]
    if not texts:
        return []
    start, end, anywhere = (pattern.search(words) is not None for pattern in (_START, _END, _ANYWHERE))
    if not (start or end or anywhere) or re.search(r"\brepl(?:y|ies|ied)\b|\bkeywords?\b", words):
        return []
    scope = context.scope_of_sentence(passage, default=PROMOTIONAL)
    if _SUBJECT.search(words) and start:
        doubts = (Doubt(0.1, "several texts are named, and only the first is used"),) if len(texts) > 1 else ()
        return [
            Finding(
                kind="subject_prefix",
                parameters={"prefix": texts[0]},
                passage=passage,
                scope=scope,
                action="require",
                alone=True,
                doubts=doubts,
            )
        ]
    of_sender = _SENDER.search(words) is not None
    position = ("sender_end" if end else "sender_start") if of_sender else "start" if start else "anywhere"
    if end and not of_sender:
        return []
    parameters: dict[str, Any] = {"position": position, "texts": texts}
    characters = _CHARACTERS.search(words)
    if of_sender and characters is not None:
        parameters["sender_characters_max"] = int(characters[1])
    followed = _FOLLOWED.search(words)
    if followed is not None and not of_sender:
        also = particulars_in(followed[1])
        if also:
            parameters["also"] = also
    return [Finding(kind="label", parameters=parameters, passage=passage, scope=scope, action="require", alone=True)]
