"""Content judged on request, and how well the model fits what is sent."""

from __future__ import annotations

import csv
import io
import re

import msgspec

from chappe.api.rest.answers import Answer, encoded_answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.classification.documents import (
    ClassifyBatchRequest,
    ClassifyRequest,
    DriftView,
    ExplanationView,
    FeedbackRequest,
    FeedbackView,
    SenderDriftView,
    VerdictsView,
    VerdictView,
    WordView,
)
from chappe.classify.explain import explain
from chappe.classify.labels import Kind, Label
from chappe.classify.links import links_in
from chappe.classify.model import Model
from chappe.classify.policy import MODERATION, is_uncertain
from chappe.classify.second.metadata import UNKNOWN
from chappe.model.customer import Content, Purpose
from chappe.model.errors import ClassifierOff, InvalidInput
from chappe.pipeline.background import Pace
from chappe.pipeline.content.checking import ContentCheck, SecondVerdict, readable_texts
from chappe.records import ids
from chappe.records.feedback import FeedbackRecord, Labelled
from chappe.records.rule_sets import Author

_WORDS_MAX = 50
_EXPORT_PAGE = 500
_decoder = msgspec.json.Decoder(ClassifyRequest)
_batch_decoder = msgspec.json.Decoder(ClassifyBatchRequest)
_feedback_decoder = msgspec.json.Decoder(FeedbackRequest)


async def classify(call: Call) -> Answer:
    """POST /v1/classify"""
    check, request = check_of(call), decode(_decoder, call.body)
    return json_answer(200, verdict_view(check, request, await _second(check, request)))


async def classify_batch(call: Call) -> Answer:
    """POST /v1/classify:batch"""
    check = check_of(call)
    requests = decode(_batch_decoder, call.body).messages
    pace = Pace(call.server.pipeline.context.background, urgent=False)
    await pace.begin()
    views = []
    for request in requests:
        await pace.pause()
        views.append(verdict_view(check, request, await _second(check, request)))
    return json_answer(200, VerdictsView(views))


async def drift(call: Call) -> Answer:
    """GET /v1/classify/drift"""
    check = check_of(call)
    senders = [SenderDriftView(*msgspec.structs.astuple(entry)) for entry in check.drift.senders()]
    serving = check.serving
    labels = {label.value: check.drift.labels[label] for label in Label}
    treatments = {treatment.value: count for treatment, count in check.drift.treatments.items()}
    return json_answer(200, DriftView(serving.model.version, labels, treatments, serving.hits, serving.misses, senders))


async def add_feedback(call: Call) -> Answer:
    """POST /v1/classify/feedback"""
    request = decode(_feedback_decoder, call.body)
    if (request.message is None) is (request.text is None):
        raise InvalidInput("give either message or text", pointer="/message")
    if request.kind is not None and request.label is not Label.TRANSACTIONAL:
        raise InvalidInput("only what is transactional has a kind", pointer="/kind")
    message = None
    if request.message is not None:
        message = ids.parse_key(ids.MESSAGE, request.message)
        if message is None:
            raise InvalidInput("message must be the id of a message: msg_0123456789abcdef", pointer="/message")
        await call.server.records.messages.get(message)
    record = feedback_record(call, request.label, request.kind, request.note, message=message, text=request.text)
    await call.server.records.feedback.add([record])
    return json_answer(
        201, FeedbackView(ids.key_text(ids.FEEDBACK, record.key), request.label, request.kind, request.message)
    )


async def export_feedback(call: Call) -> Answer:
    """GET /v1/classify/feedback"""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(("text", "label", "kind", "source"))
    after = 0
    while page := await call.server.records.feedback.labelled(after, _EXPORT_PAGE):
        for entry in page:
            for text in exported_texts(entry):
                rows.writerow((text, entry.label, entry.kind or "", "feedback"))
        after = page[-1].key
    return encoded_answer(200, out.getvalue().encode(), media_type=b"text/csv; charset=utf-8")


_DIGIT = re.compile(r"\d")


def exported_texts(entry: Labelled) -> tuple[str, ...]:
    """The texts as they are exported: every digit is a zero, which leaves their fingerprints what they are."""
    return tuple(_DIGIT.sub("0", text) for text in readable_texts(entry.content))


def feedback_record(
    call: Call,
    label: Label,
    kind: Kind | None,
    note: str,
    *,
    message: int | None = None,
    text: str | None = None,
) -> FeedbackRecord:
    """A label from whoever calls."""
    return FeedbackRecord(
        key=call.server.records.keys.next(),
        label=label.value,
        kind=kind and kind.value,
        at_ms=call.server.now_ms(),
        author=author_of(call, note),
        message=message,
        text=text,
    )


async def _second(check: ContentCheck, request: ClassifyRequest) -> SecondVerdict | None:
    return await check.second_verdict(Content(text=_readable(request)), None, UNKNOWN)


def _readable(request: ClassifyRequest) -> str:
    text = request.text if not request.subject else f"{request.subject}\n{request.text}"
    (readable,) = readable_texts(Content(text=text)) or ("",)
    return readable


def verdict_view(check: ContentCheck, request: ClassifyRequest, second: SecondVerdict | None) -> VerdictView:
    """What a content is taken for, and what gave cause for it."""
    readable = _readable(request)
    verdict = check.serving.judge(readable) if second is None else second.verdict
    flags = check.flags_of_text(readable, request.sender)
    suspicion = check.suspicion_of(readable, verdict, declared_promotional=request.purpose is Purpose.PROMOTIONAL)
    if suspicion is not None:
        flags = (suspicion, *flags)
    return VerdictView(
        label=verdict.label,
        probability=round(verdict.probability, 4),
        probabilities={label.value: round(verdict.probability_of(label), 4) for label in Label},
        spam_score=round(verdict.probability_of(Label.SPAM), 4),
        uncertain=is_uncertain(verdict),
        model=check.serving.model.version if second is None else second.model,
        second_opinion=second is not None,
        kind=verdict.kind,
        treatment=max((flag.treatment for flag in flags), key=lambda treatment: treatment.strictness, default=None),
        flags=flags,
        moderation=[flag.name for flag in flags if flag.check == MODERATION],
        links=links_in(readable, own_domains=check.own_domains_of(request.sender)),
        explanation=explanation_view(check.serving.model, readable) if request.explain else None,
    )


def explanation_view(model: Model, text: str) -> ExplanationView:
    """The words that weighed, and how much."""
    explained = explain(model, text)
    words = [WordView(entry.gram, entry.weight) for entry in explained.weighed[:_WORDS_MAX]]
    return ExplanationView(explained.fingerprint, explained.against, explained.margin, explained.bias, words)


def check_of(call: Call) -> ContentCheck:
    """What judges content here. Raises `ClassifierOff`."""
    check = call.server.pipeline.context.content
    if check is None:
        raise ClassifierOff("This server does not judge content; set classify.enabled = true and start it again.")
    return check


def author_of(call: Call, reason: str) -> Author:
    """Who made a change: the API key of the call."""
    return Author(call.client.key_id, call.client.name, reason)
