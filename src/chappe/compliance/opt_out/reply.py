"""What a text from a person was read as, and why."""

from __future__ import annotations

from enum import StrEnum

import msgspec

CERTAIN = 0.8
"""From this confidence on a reading is acted upon by itself."""
POSSIBLE = 0.5
"""From this confidence on, and below `CERTAIN`, a person should look at it."""


class Intent(StrEnum):
    """What the person wants."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    NONE = "none"


class Scope(StrEnum):
    """What an opt-out (or an opt-in) is about."""

    ALL = "all"
    """Every message, on whatever channel: "never contact me again"."""
    CHANNEL = "channel"
    """The channel it came by. What a bare STOP means."""
    PROMOTIONAL = "promotional"
    """Advertising only: "no more offers please"."""


class EvidenceKind(StrEnum):
    """How a piece of evidence was found."""

    KEYWORD = "keyword"
    MISSPELLING = "misspelling"
    SENTENCE = "sentence"
    SHOUTED = "shouted"
    PHRASE = "phrase"
    EMOJI = "emoji"
    GUARDED = "guarded"
    SCOPE = "scope"


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One piece of evidence.

    `text` is what was found, in normalised words. `weight` is how much it says, 0 to 1; 0 for what a guard took back
    (`because` names the guard) and for what only tells the scope.
    """

    kind: EvidenceKind
    text: str
    weight: float
    intent: Intent
    language: str | None = None
    because: str | None = None


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reading. `keyword` is the word of the tables that was found, if the text is one.

    `confidence` is 0 to 1; for `Intent.NONE` it is how far the text is from meaning anything.
    """

    intent: Intent
    scope: Scope
    keyword: str | None
    evidence: tuple[Evidence, ...]
    confidence: float
    language: str | None = None

    @property
    def certain(self) -> bool:
        """Whether the reading may be acted upon without a person looking at it."""
        return self.intent is Intent.NONE or self.confidence >= CERTAIN
