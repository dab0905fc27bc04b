"""The settings of the classifier and of moderation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.classify.links import Suspicion
from chappe.classify.moderation import packaged_lists
from chappe.classify.policy import Policy
from chappe.compliance.sender.senders import bare_sender
from chappe.model.classification import Treatment

_POLICY = Policy()
_MS_AN_HOUR = 3_600_000
_Probability = Annotated[float, Meta(ge=0.5, le=1)]
_FlagTreatment = Annotated[str, Meta(pattern="^[a-z0-9_]+=(annotate|hold|block)$")]
_Name = Annotated[str, Meta(min_length=1, max_length=320)]

_CATEGORIES = ", ".join(f"`{name}`" for name in packaged_lists())
_MODERATION = (
    'What is done about words of a category, such as `["hate=block", "gambling=hold"]`: `annotate` (where nothing is '
    f"said), `hold` or `block`. The categories that come with Chappe are {_CATEGORIES}."
)
_SUSPICIONS = ", ".join(f"`{name}`" for name in Suspicion)
_LINKS = (
    'What is done about suspicious links, such as `["lookalike=hold", "imitation=block"]`; `annotate` where nothing is '
    f"said. The suspicions are {_SUSPICIONS}."
)


class ClassifySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a message is by its content, and what follows.

    Each message is judged once, when it is accepted; the decision says what it was taken for and why. The thresholds
    are probabilities.
    """

    enabled: Annotated[
        bool, Meta(description="Whether content is judged at all. Without it messages are what they are declared.")
    ] = True
    promotional: Annotated[
        Treatment,
        Meta(
            description="What is done with a message that is declared transactional and reads as promotional. "
            "`treat_as_promotional`: it goes by the rules for promotions, in their lane. `hold`: a person looks at it "
            "first. `annotate`: it goes as declared, with a note. `block`."
        ),
    ] = _POLICY.promotional
    promotional_threshold: Annotated[
        _Probability, Meta(description="From which probability on it is taken for promotional.")
    ] = _POLICY.promotional_threshold
    spam: Annotated[
        Treatment,
        Meta(
            description="What is done with a message that reads as spam or fraud: `hold`, `block` or `annotate`. Who "
            "sends through this server has a key to it, so most of what looks like spam here is a mistake, and a "
            "person can still let it go."
        ),
    ] = _POLICY.spam
    spam_threshold: Annotated[_Probability, Meta(description="From which probability on it is taken for spam.")] = (
        _POLICY.spam_threshold
    )
    urgent_threshold: Annotated[
        _Probability,
        Meta(
            description="In place of both for messages that look like one-time codes and alerts: a code that does not "
            "arrive locks a person out. Below it such a message goes as declared, with a note."
        ),
    ] = _POLICY.urgent_threshold
    second_opinion: Annotated[
        Path | None,
        Meta(
            description="A file of `chappe classify train --second-opinion`: it is asked about messages of which the "
            "model is uncertain, and the mean of both counts. It takes milliseconds, and only those messages wait for "
            "it. Needs the extra `chappe[embed]`."
        ),
    ] = None
    embedding: Annotated[
        Path | None,
        Meta(
            description="The folder of the sentence embedding that the second opinion was taught with (`config.json`, "
            "`model.safetensors` and `tokenizer.json` of the BERT family). Without it the all-MiniLM-L6-v2 of the "
            "extra `chappe[embed]`."
        ),
    ] = None
    review_hours: Annotated[
        float,
        Meta(gt=0, le=8_760, description="How long a held message waits for its review. After that it is blocked."),
    ] = _POLICY.hold_ms / _MS_AN_HOUR
    exempt_categories: Annotated[
        tuple[_Name, ...],
        Meta(description="Messages of these `category` are judged, and nothing is done about them."),
    ] = ()
    exempt_senders: Annotated[
        tuple[_Name, ...], Meta(description="The same for messages from these addresses, numbers and names.")
    ] = ()
    moderation: Annotated[tuple[_FlagTreatment, ...], Meta(description=_MODERATION)] = ()
    moderation_lists: Annotated[
        tuple[Path, ...],
        Meta(
            description="YAML files of categories and words, besides those that come with Chappe; see "
            "[classification.md](classification.md)."
        ),
    ] = ()
    moderation_off: Annotated[tuple[_Name, ...], Meta(description="Categories that are not looked for at all.")] = ()
    links: Annotated[tuple[_FlagTreatment, ...], Meta(description=_LINKS)] = ()

    def __post_init__(self) -> None:
        if self.spam is Treatment.PROMOTIONAL:
            raise ValueError("spam: spam cannot be treated as promotional; hold, block or annotate it")
        unknown = set(_treatments(self.links)) - set(Suspicion)
        if unknown:
            raise ValueError(f"links: there is no suspicion {sorted(unknown)[0]!r}; there are: {', '.join(Suspicion)}")

    @property
    def policy(self) -> Policy:
        """The same for the classifier."""
        return Policy(
            promotional=self.promotional,
            promotional_threshold=self.promotional_threshold,
            spam=self.spam,
            spam_threshold=self.spam_threshold,
            urgent_threshold=self.urgent_threshold,
            exempt_categories=frozenset(self.exempt_categories),
            exempt_senders=frozenset(map(bare_sender, self.exempt_senders)),
            moderation=_treatments(self.moderation),
            links=_treatments(self.links),
            hold_ms=round(self.review_hours * _MS_AN_HOUR),
        )


def _treatments(entries: tuple[str, ...]) -> dict[str, Treatment]:
    return {name: Treatment(treatment) for name, treatment in (entry.split("=") for entry in entries)}
