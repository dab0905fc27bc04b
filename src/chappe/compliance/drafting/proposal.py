"""What is handed back for a text: proposals, and what did not become one."""

from __future__ import annotations

from typing import Any

import msgspec

from chappe.compliance.drafting.passages import Passage


class Quote(msgspec.Struct, frozen=True):
    """A passage of the text: `start` and `end` count characters from 0, `line` counts from 1."""

    text: str
    start: int
    end: int
    line: int


class Proposal(msgspec.Struct, frozen=True):
    """A rule for a person to accept. `rule` is as it stands in a rule file, and is valid there.

    `confidence` is from 0.1 to 0.95: what was found plainly, less what `doubts` take off.
    """

    id: str
    confidence: float
    rule: dict[str, Any]
    drafted_from: tuple[Quote, ...]
    doubts: tuple[str, ...] = ()


class Unread(msgspec.Struct, frozen=True):
    """A passage that no rule was made of, and why."""

    passage: Quote
    reason: str


class Draft(msgspec.Struct, frozen=True):
    """`not_understood` sounds like a rule about messages and became none; `set_aside` was seen to rule nothing here
    (definitions, penalties, history, duties that are not about messages).
    """

    source: str
    passages: int
    proposals: tuple[Proposal, ...]
    not_understood: tuple[Unread, ...]
    set_aside: tuple[Unread, ...]


def quote(passage: Passage) -> Quote:
    """The passage as it stands in the text."""
    return Quote(passage.text, passage.start, passage.end, passage.line)
