"""The documents about classification: content judged, models, reviews, feedback."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chappe.classify.labels import Kind, Label
from chappe.classify.links import Link
from chappe.model.classification import Classification, Flag, Resolution, Treatment
from chappe.model.customer import Channel, Content, Purpose
from chappe.records.model_activations import ModelChange
from chappe.records.reviews import ReviewState

TEXT_CHARACTERS_MAX = 100_000
ENTRIES_MAX = 1_000
_Text = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
_Note = Annotated[str, Meta(max_length=500, description="Why, for people.")]


class ClassifyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text to be judged. Nothing is stored."""

    text: _Text
    subject: Annotated[
        Annotated[str, Meta(max_length=998)] | None, Meta(description="The subject of a mail; it is judged with it.")
    ] = None
    purpose: Annotated[Purpose, Meta(description="What it would be declared to be.")] = Purpose.TRANSACTIONAL
    sender: Annotated[
        Annotated[str, Meta(min_length=1, max_length=320)] | None,
        Meta(description="Who it would be from: links to the sender's own domains are trusted, imitations are not."),
    ] = msgspec.field(default=None, name="from")
    explain: Annotated[bool, Meta(description="Whether to tell which words weighed how much.")] = False


class ClassifyBatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 texts to be judged."""

    messages: Annotated[list[ClassifyRequest], Meta(min_length=1, max_length=ENTRIES_MAX)]


class WordView(msgspec.Struct, frozen=True):
    """A word, a pair of words, the beginning of a long one (`insur-`) or a mark (`^code`), and how much it weighed: for
    the label above zero, against it below.
    """

    gram: str
    weight: float


class ExplanationView(msgspec.Struct, frozen=True):
    """Where a verdict comes from: the weights and `bias` add up to `margin`, the lead of the label over `against`."""

    fingerprint: str
    against: Label
    margin: float
    bias: float
    words: list[WordView]


class VerdictView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a text was taken for. `treatment` is what this server would do with it, absent if nothing.

    `uncertain` verdicts are worth little. `second_opinion` tells that the model was uncertain and another had its say.
    `moderation` are the categories of its words, `links` those that it has.
    """

    label: Label
    probability: float
    probabilities: dict[str, float]
    spam_score: float
    uncertain: bool
    model: str
    kind: Kind | None = None
    treatment: Treatment | None = None
    flags: tuple[Flag, ...] = ()
    moderation: list[str] = []
    links: list[Link] = []
    explanation: ExplanationView | None = None
    second_opinion: bool = False


class VerdictsView(msgspec.Struct, frozen=True):
    """One verdict per text, in the order of the texts."""

    verdicts: list[VerdictView]


class SenderDriftView(msgspec.Struct, frozen=True):
    """Verdicts on a sender's messages since the server started: how many were uncertain, and how many were another than
    what the sender declared.
    """

    sender: str
    judged: int
    uncertain: int
    disagreeing: int


class DriftView(msgspec.Struct, frozen=True):
    """How well the model fits what is sent, by sender, the most frequent first; with counts of verdicts and of what
    was done.
    """

    model: str
    labels: dict[str, int]
    treatments: dict[str, int]
    cache_hits: int
    cache_misses: int
    senders: list[SenderDriftView]


class ModelView(msgspec.Struct, frozen=True):
    """A model. `packaged` is the one that comes with this version of Chappe; `card` tells what it was made from."""

    version: str
    packaged: bool
    in_use: bool
    in_shadow: bool
    grams: int
    card: dict[str, Any]


class ModelActivationView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of the models in use. Without `version` the packaged model is in use."""

    id: int
    change: ModelChange
    at: datetime
    by: str
    reason: str
    version: str | None = None
    shadow: str | None = None


class ModelsView(msgspec.Struct, frozen=True):
    """All models, and the newest changes of what is in use, newest first."""

    models: list[ModelView]
    history: list[ModelActivationView]


class ModelChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a model is put in use, beside another, or back."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, description="Why, for people.")]


class NewModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model as `chappe classify train` writes it."""

    format: str
    version: str
    card: dict[str, Any]
    outputs: list[str]
    weights: dict[str, Any]


class PairView(msgspec.Struct, frozen=True):
    """How often the model in use said one thing and the one in the shadow the other."""

    label: Label
    shadow_label: Label
    count: int


class DisagreementView(msgspec.Struct, frozen=True):
    """A message that the two models call different things."""

    message: str
    at: datetime
    label: Label
    probability: float
    shadow_label: Label
    shadow_probability: float


class ShadowView(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the model in the shadow compares with the one in use, since the server started or it was put there."""

    model: str
    shadow: str | None = None
    compared: int = 0
    disagreed: int = 0
    pairs: list[PairView] = []
    disagreements: list[DisagreementView] = []


class ReviewView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that was held because of its content. Without a review it is blocked at `due_at`."""

    id: str
    state: ReviewState
    message: str
    label: Label
    probability: float
    checks: tuple[str, ...]
    channel: Channel
    opened_at: datetime
    due_at: datetime
    sender: str | None = msgspec.field(default=None, name="from")
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    by: str | None = None
    note: str | None = None


class ReviewDetailView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A review with what there is to look at. The explanation is of the model in use now."""

    review: ReviewView
    declared_purpose: Purpose
    content: Content
    classification: Classification
    explanation: ExplanationView | None = None


class ReviewsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, oldest first. Without `next_cursor` it is the last."""

    reviews: list[ReviewView]
    next_cursor: str | None = None


class ApproveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let a held message go, as what it is."""

    purpose: Annotated[Purpose, Meta(description="What it is. The rules for that then decide.")]
    note: _Note = ""
    label: Annotated[
        Label | None,
        Meta(description="What the content is, for training, if that is not the same as the purpose."),
    ] = None


class RejectRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Block a held message."""

    note: _Note = ""
    label: Annotated[
        Label | None, Meta(description="What the content is, for training. Without it what it was taken for.")
    ] = None


class FeedbackRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a message, or a text, really is. Give one of the two."""

    label: Label
    message: Annotated[str | None, Meta(description="The id of a message that was sent through this server.")] = None
    text: _Text | None = None
    kind: Annotated[Kind | None, Meta(description="What a transactional one is about.")] = None
    note: _Note = ""


class FeedbackView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A label that was kept."""

    id: str
    label: Label
    kind: Kind | None = None
    message: str | None = None
