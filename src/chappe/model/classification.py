"""What a message was found to be by its content, and what follows from it. Made once, when the message is accepted."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Treatment(StrEnum):
    """What is done with a message because of its content, from the mildest to the strictest."""

    ANNOTATE = "annotate"
    """It goes as declared, and what was found is on record."""
    PROMOTIONAL = "treat_as_promotional"
    """It goes as a promotional message: by the rules for those, in their lane."""
    HOLD = "hold"
    """It waits until a person has looked at it."""
    BLOCK = "block"

    @property
    def strictness(self) -> int:
        """0 for the mildest."""
        return _STRICTNESS[self]


_STRICTNESS = {treatment: rank for rank, treatment in enumerate(Treatment)}


class Flag(msgspec.Struct, frozen=True):
    """Something found in the content. `check` is what found it: `classifier`, `moderation` or `links`.

    The reason quotes nothing personal: words of the model, names of categories and hosts.
    """

    check: str
    name: str
    treatment: Treatment
    reason: str


class Resolution(StrEnum):
    """How the review of a held message ended."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Review(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a held message. `by` is the name of the API key, empty where nobody did it in time."""

    resolution: Resolution
    at_ms: int
    by: str = ""
    note: str | None = None


class Classification(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdict of one model on one content, and what else was found in it.

    `probability` is that of `label`. `model` is the version that judged, so that the same verdict can be had again.
    `second_opinion` tells that the model was uncertain and another had its say: the probability is that of both.
    `hold_ms` is how long a held message waits for its review.
    """

    label: str
    probability: float
    model: str
    kind: str | None = None
    flags: tuple[Flag, ...] = ()
    hold_ms: int = 0
    review: Review | None = None
    second_opinion: bool = False

    @property
    def treatment(self) -> Treatment | None:
        """The strictest that any flag asks for."""
        found = [flag.treatment for flag in self.flags]
        return max(found, key=lambda treatment: treatment.strictness) if found else None

    @property
    def awaits_review(self) -> bool:
        """Whether nothing may be done before somebody has looked at it."""
        return self.review is None and self.treatment is Treatment.HOLD
