"""The models of the classifier: stored, put in use, listened to in the shadow, taken back."""

from __future__ import annotations

import msgspec

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.classification.classify import author_of, check_of
from chappe.api.rest.classification.documents import (
    DisagreementView,
    ModelActivationView,
    ModelChoice,
    ModelsView,
    ModelView,
    PairView,
    ShadowView,
)
from chappe.api.rest.paging import limit_of
from chappe.api.rest.presenting import moment
from chappe.classify.artefact import Artefact
from chappe.classify.serving import DISAGREEMENTS_KEPT
from chappe.pipeline.content.models import Models, ModelSummary
from chappe.records.model_activations import ModelActivation

_HISTORY_SHOWN = 50
_artefact_decoder = msgspec.json.Decoder(Artefact)
_choice_decoder = msgspec.json.Decoder(ModelChoice)


async def list_models(call: Call) -> Answer:
    """GET /v1/classify/models"""
    models = _models(call)
    history = [_activation_view(activation) for activation in await models.records.history(_HISTORY_SHOWN)]
    return json_answer(200, ModelsView([_view(models, found) for found in await models.all()], history))


async def get_model(call: Call) -> Answer:
    """GET /v1/classify/models/{version}"""
    models = _models(call)
    return json_answer(200, _view(models, await models.get(call.path["version"])))


async def add_model(call: Call) -> Answer:
    """POST /v1/classify/models"""
    models = _models(call)
    return json_answer(201, _view(models, await models.add(decode(_artefact_decoder, call.body))))


async def activate_model(call: Call) -> Answer:
    """POST /v1/classify/models/{version}/activate"""
    request = decode(_choice_decoder, call.body)
    activation = await _models(call).activate(call.path["version"], author_of(call, request.reason))
    return json_answer(200, _activation_view(activation))


async def shadow_model(call: Call) -> Answer:
    """POST /v1/classify/models/{version}/shadow"""
    request = decode(_choice_decoder, call.body)
    activation = await _models(call).shadow(call.path["version"], author_of(call, request.reason))
    return json_answer(200, _activation_view(activation))


async def end_shadow(call: Call) -> Answer:
    """DELETE /v1/classify/shadow"""
    return json_answer(200, _activation_view(await _models(call).shadow(None, author_of(call, ""))))


async def roll_back_model(call: Call) -> Answer:
    """POST /v1/classify/models:rollback"""
    request = decode(_choice_decoder, call.body)
    return json_answer(200, _activation_view(await _models(call).roll_back(author_of(call, request.reason))))


async def get_shadow(call: Call) -> Answer:
    """GET /v1/classify/shadow"""
    limit = limit_of(call.query, most=DISAGREEMENTS_KEPT)
    serving = check_of(call).serving
    shadow = serving.shadow
    if shadow is None:
        return json_answer(200, ShadowView(serving.model.version))
    disagreements = [
        DisagreementView(
            entry.message,
            moment(entry.at_ms),
            entry.label,
            round(entry.probability, 4),
            entry.shadow_label,
            round(entry.shadow_probability, 4),
        )
        for entry in shadow.disagreements(limit)
    ]
    pairs = [PairView(*msgspec.structs.astuple(pair)) for pair in shadow.counts()]
    return json_answer(
        200,
        ShadowView(serving.model.version, shadow.version, shadow.compared, shadow.disagreed, pairs, disagreements),
    )


def _models(call: Call) -> Models:
    check_of(call)
    models = call.server.pipeline.models
    assert models is not None, "where content is judged there are models"
    return models


def _view(models: Models, found: ModelSummary) -> ModelView:
    return ModelView(
        version=found.version,
        packaged=found.packaged,
        in_use=found.version == models.serving.model.version,
        in_shadow=found.version == models.in_use.shadow,
        grams=found.gram_count,
        card=msgspec.to_builtins(found.card),
    )


def _activation_view(activation: ModelActivation) -> ModelActivationView:
    return ModelActivationView(
        id=activation.id,
        change=activation.change,
        at=moment(activation.at_ms),
        by=activation.author.name,
        reason=activation.author.reason,
        version=activation.in_use.version,
        shadow=activation.in_use.shadow,
    )
