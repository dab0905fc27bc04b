"""A model as a file: JSON text, one gram a line, with the card that says what it was made from and how good it is."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from chappe.classify.labels import Kind, Label
from chappe.classify.model import OUTPUTS, Model, Weights
from chappe.model.errors import InvalidConfiguration
from chappe.model.unreadable import unreadable

FORMAT = "chappe-classifier/1"
ARTEFACT_BYTES_MAX = 4 * 1_048_576


class ModelCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reader has to know before trusting a model. `figures` are tables as the evaluation printed them."""

    name: str
    made_on: str
    data: str
    split: str
    licence: str
    limits: str
    figures: dict[str, Any] = {}


class Artefact(msgspec.Struct, frozen=True):
    """The file. `outputs` names the numbers of every gram, in order."""

    format: str
    version: str
    card: ModelCard
    outputs: tuple[str, ...]
    weights: Weights


OUTPUT_NAMES = tuple(str(label) for label in Label) + tuple(f"transactional.{kind}" for kind in Kind)


def load_model(path: Path) -> Model:
    """The model in a file. Raises `InvalidConfiguration` if there is none or it is not one of ours."""
    try:
        size = path.stat().st_size
        if size > ARTEFACT_BYTES_MAX:
            raise InvalidConfiguration(f"{path}: a model has at most {ARTEFACT_BYTES_MAX} bytes, not {size}.")
        return model_of(read_artefact(path.read_bytes(), str(path)))
    except OSError as error:
        raise unreadable(path, error) from error


def packaged_model() -> Model:
    """The model that is shipped with Chappe."""
    return model_of(packaged_artefact())


def packaged_artefact() -> Artefact:
    """The shipped model with its card."""
    return read_artefact(files("chappe.classify").joinpath("model.json").read_bytes(), "the packaged model")


def read_artefact(raw: bytes, name: str) -> Artefact:
    """Raises `InvalidConfiguration`."""
    try:
        artefact = msgspec.json.decode(raw, type=Artefact)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidConfiguration(f"{name}: this is not a model: {error}.") from error
    if artefact.format != FORMAT or artefact.outputs != OUTPUT_NAMES:
        raise InvalidConfiguration(f"{name}: this model is of another format ({artefact.format}); want {FORMAT}.")
    lengths = {len(values) for values in artefact.weights.grams.values()} | {len(artefact.weights.bias)}
    if lengths - {OUTPUTS}:
        raise InvalidConfiguration(f"{name}: every gram must have {OUTPUTS} numbers.")
    if not (0.01 <= artefact.weights.temperature <= 100 and 0 <= artefact.weights.promotional_floor <= 1):
        raise InvalidConfiguration(f"{name}: temperature must be 0.01 to 100, promotional_floor 0 to 1.")
    return artefact


def model_of(artefact: Artefact) -> Model:
    return Model(artefact.weights, artefact.version)


def artefact_bytes(card: ModelCard, weights: Weights) -> bytes:
    """The file's content. Its version is the digest of the weights, so that equal models have equal versions."""
    version = hashlib.sha256(msgspec.json.encode(weights, order="sorted")).hexdigest()[:12]
    artefact = msgspec.to_builtins(Artefact(FORMAT, version, card, OUTPUT_NAMES, weights))
    grams = artefact["weights"].pop("grams")
    head = msgspec.json.format(msgspec.json.encode(artefact), indent=1).decode()
    lines = ",\n".join(
        f"  {msgspec.json.encode(gram).decode()}: {msgspec.json.encode(values).decode()}"
        for gram, values in sorted(grams.items())
    )
    start, _, end = head.rpartition('"weights": {')
    return f'{start}"weights": {{\n  "grams": {{\n{lines}\n  }},{end}\n'.encode()
