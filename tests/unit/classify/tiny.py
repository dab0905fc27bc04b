"""A model of a few words, so that tests of what follows from a verdict do not hang on how the shipped one is made."""

from __future__ import annotations

from chappe.classify.artefact import Artefact, ModelCard, artefact_bytes, read_artefact
from chappe.classify.model import OUTPUTS, Model, Weights
from chappe.classify.moderation import Category, Moderator
from chappe.classify.policy import Policy
from chappe.classify.second.consulting import Consultant
from chappe.classify.serving import Serving
from chappe.compliance.sender.senders import Senders
from chappe.pipeline.content.checking import ContentCheck

CODE = "Your code is 482913. It is valid for 10 minutes."
PROMOTION = "Mega sale: buy now and save!"
SPAM = "Claim your prize, winner"
PLAIN = "Hello, Ana"
BETTING = "Your code for the roulette table"

_TRANSACTIONAL, _PROMOTIONAL, _SPAM, _CHAT, _CODE = 0, 1, 2, 3, 4
_WORDS = {
    "code": {_TRANSACTIONAL: 900, _CODE: 900},
    "valid": {_TRANSACTIONAL: 600, _CODE: 300},
    "sale": {_PROMOTIONAL: 1_400, _CODE: -900},
    "buy": {_PROMOTIONAL: 1_200},
    "save": {_PROMOTIONAL: 1_200},
    "prize": {_SPAM: 1_500},
    "winner": {_SPAM: 1_500},
    "hello": {_CHAT: 900},
}


def weights(**changes: dict[int, int]) -> Weights:
    """The weights, with the words given in place of others of the same name."""
    grams = {}
    for word, outputs in {**_WORDS, **changes}.items():
        row = [0] * OUTPUTS
        for output, weight in outputs.items():
            row[output] = weight
        grams[word] = row
    return Weights(grams=grams, bias=[0.0] * OUTPUTS)


def artefact(**changes: dict[int, int]) -> Artefact:
    """The same as what a file holds."""
    card = ModelCard("tiny", "2026-01-01", "a few words", "none", "Apache-2.0", "for tests only")
    return read_artefact(artefact_bytes(card, weights(**changes)), "tiny")


def model(**changes: dict[int, int]) -> Model:
    return Model(weights(**changes), artefact(**changes).version)


def content_check(
    policy: Policy | None = None, senders: Senders | None = None, consultant: Consultant | None = None
) -> ContentCheck:
    """What judges messages by the tiny model, and finds gambling."""
    moderator = Moderator({"gambling": [Category({"en": ("roulette", "casino*")})]})
    return ContentCheck(Serving(model()), policy or Policy(), moderator, senders or Senders(), consultant)
