"""What a text takes back: `section 5 does not apply to ...`, `unless ...`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chappe.compliance.drafting.finding import Doubt, Finding
from chappe.compliance.drafting.passages import Passage
from chappe.compliance.drafting.readers.hours import HOURS

CLAUSE_WEIGHT = 0.15
_TAKES_BACK = re.compile(
    r"\b(?:(?:does|do|shall|will|is|are) not appl(?:y|icable)|(?:is|are|shall be) exempt(?:ed)?|appl(?:y|ies) only)\b"
)
_NUMBERS = re.compile(
    r"\b(?:sections?|paragraphs?|articles?|rules?|regulations?|sec\."
    r"|art\.) ((?:\(?\d[\w.-]*\)?(?:,? (?:and|or|to) |, )?)+)"
)
_AGREED = re.compile(
    r"\b(?:(?:express|explicit|prior)(?:ly)? (?:request\w*|consent\w*|agree\w*|invit\w*|permission)"
    r"|has (?:consented|agreed|requested)|consent of the)\b"
)
_CLAUSE = re.compile(r"\b(?:unless|except(?: where| that| for| if| in)?|provided that|other than|save)\b[^.;]{3,120}")
_READS_CLAUSES = ("consent_required", "language", "unsubscribe_mechanism", HOURS, "age_gate")


def is_exception(words: str) -> bool:
    """Whether a passage takes back another one."""
    return _TAKES_BACK.search(words) is not None


def targets(passage: Passage, words: str, findings: Sequence[Finding]) -> list[int]:
    """The findings that an exception is about: those of the sections it names, or of the passage before it."""
    earlier = [n for n, finding in enumerate(findings) if finding.passage.start < passage.start]
    named = {number for match in _NUMBERS.finditer(words) for number in re.findall(r"\d[\w.-]*", match[1])}
    named = {number.rstrip(".") for number in named}
    by_name = [
        n
        for n in earlier
        if named & {number.rstrip(".") for number in re.findall(r"\d[\w.-]*", _number_of(findings[n].passage))}
    ]
    if by_name or not earlier:
        return by_name
    nearest = findings[earlier[-1]].passage.start
    return [n for n in earlier if findings[n].passage.start == nearest]


def lifts_by_consent(words: str) -> bool:
    """Whether it frees what people have agreed to or asked for."""
    return _AGREED.search(words) is not None


def clause_doubts(kind: str, words: str) -> tuple[Doubt, ...]:
    """A doubt for a clause that the reader of the kind does not look at."""
    clause = _CLAUSE.search(words)
    if clause is None or kind in _READS_CLAUSES:
        return ()
    return (Doubt(CLAUSE_WEIGHT, f"it has a clause that was not read: {clause.group().strip()}"),)


def _number_of(passage: Passage) -> str:
    """The number of a passage: its label, or one that stands within it, as in "Sec. 5. A person may not"."""
    inside = re.match(r"(?:Sec\.|Section|Art\.|Article|§) ?\d[\w.-]*", passage.text)
    return inside.group() if inside else passage.label
