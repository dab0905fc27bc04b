"""What a reader found in a passage: part of a rule, and what makes it doubtful."""

from __future__ import annotations

from typing import Any

import msgspec

from chappe.compliance.drafting.passages import Passage

PROMOTIONAL, TRANSACTIONAL, BOTH = "promotional", "transactional", "both"


class Doubt(msgspec.Struct, frozen=True):
    """A reason why a proposal may be wrong, for whoever decides on it; `weight` is taken off its confidence."""

    weight: float
    text: str


class Scope(msgspec.Struct, frozen=True):
    """What is bound: which messages, to whom."""

    jurisdiction: str
    channels: tuple[str, ...]
    applies_to: str
    categories: tuple[str, ...] = ()
    effective_from: str | None = None
    doubts: tuple[Doubt, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for scopes that bind the same, however sure that is."""
        return (self.jurisdiction, self.channels, self.applies_to, self.categories, self.effective_from)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of a rule of a kind, as far as one passage gives them.

    Findings of one kind and scope are put together, unless they are `alone`. One that only `completes` another is
    nothing without it.
    """

    kind: str
    parameters: dict[str, Any]
    passage: Passage
    scope: Scope
    action: str
    alone: bool = False
    completes: bool = False
    doubts: tuple[Doubt, ...] = ()


class Remark(msgspec.Struct, frozen=True):
    """A passage that did not become a rule, and why."""

    passage: Passage
    reason: str
