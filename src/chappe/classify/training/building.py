"""From labelled examples to a calibrated model and what it is worth, in one go.

A cross-validation over groups comes first. Its models have not seen what they are asked, so their scores say how far to
trust a score (the temperature), where promotional begins (the floor) and how good such a model is (the figures). The
model that is handed out learns from everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Model, Verdict, Weights
from chappe.classify.training import linear, splitting
from chappe.classify.training.evaluation import Figures, figures_of, leans_promotional
from chappe.classify.training.examples import Example

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps in all."""
FLOORS = tuple(round(0.5 + step / 100, 2) for step in range(46))


class Built(msgspec.Struct, frozen=True):
    """`figures` are those of held-out groups. `floor_kept` is whether a floor keeps the bound on false positives."""

    weights: Weights
    figures: Figures
    floor_kept: bool


def build(examples: Sequence[Example], *, false_positives_max: float, progress: Progress | None = None) -> Built:
    """Train, calibrate and judge. `examples` must have groups (`splitting.grouped`) and enough of them
    (`splitting.check`). `false_positives_max` bounds the share of held-out transactional messages that are called
    promotional. Deterministic.
    """
    # One thread: these matrices are too small for more, and so the sums don't depend on the number of cores.
    with threadpool_limits(1):
        return _build(examples, false_positives_max, progress or (lambda step, steps: None))


def _build(examples: Sequence[Example], false_positives_max: float, done: Progress) -> Built:
    steps = splitting.FOLDS + 1
    held_out: list[tuple[Weights, list[int]]] = []
    for number, (seen, unseen) in enumerate(splitting.folds(examples)):
        done(number, steps)
        weights = linear.fit([examples[place] for place in seen], with_kinds=False)
        held_out.append((weights, [int(place) for place in unseen]))
    temperature = _temperature(examples, held_out)
    floor = _floor(examples, _verdicts(examples, held_out, temperature), false_positives_max)
    verdicts = _verdicts(examples, held_out, temperature, floor or FLOORS[-1])
    done(splitting.FOLDS, steps)
    weights = msgspec.structs.replace(
        linear.fit(examples), temperature=temperature, promotional_floor=floor or FLOORS[-1]
    )
    done(steps, steps)
    return Built(weights, figures_of(examples, verdicts), floor is not None)


def held_out_verdicts(
    examples: Sequence[Example], seen: Sequence[int], unseen: Sequence[int], like: Weights
) -> list[Verdict]:
    """What a model that learnt from `seen` says of `unseen`, with the temperature and floor of another."""
    weights = linear.fit([examples[place] for place in seen], with_kinds=False)
    weights = msgspec.structs.replace(weights, temperature=like.temperature, promotional_floor=like.promotional_floor)
    model = Model(weights, "held-out")
    return [model.judge(fingerprint(examples[place].text)) for place in unseen]


def _verdicts(
    examples: Sequence[Example],
    held_out: Sequence[tuple[Weights, list[int]]],
    temperature: float,
    floor: float = FLOORS[0],
) -> list[Verdict]:
    out: dict[int, Verdict] = {}
    for weights, unseen in held_out:
        fitted = msgspec.structs.replace(weights, temperature=temperature, promotional_floor=floor)
        model = Model(fitted, "fold")
        out |= {place: model.judge(fingerprint(examples[place].text)) for place in unseen}
    return [out[place] for place in range(len(examples))]


def _temperature(examples: Sequence[Example], held_out: Sequence[tuple[Weights, list[int]]]) -> float:
    """What the scores have to be divided by for the probabilities on held-out groups to be honest (Guo and others,
    2017): the value of least log loss.
    """
    scores = np.zeros((len(examples), len(LABELS)))
    for weights, unseen in held_out:
        model = Model(weights, "fold")
        for place in unseen:
            scores[place] = model.scores(fingerprint(examples[place].text))[1][: len(LABELS)]
    labels = np.array([LABELS.index(example.label) for example in examples])
    counts = splitting.group_weights(examples)
    candidates = np.geomspace(0.3, 4.0, 80)
    losses = [_log_loss(scores / candidate, labels, counts) for candidate in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 3)


def _log_loss(scores: linear.Floats, labels: linear.Integers, weights: linear.Floats) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    normaliser = np.log(np.exp(shifted).sum(axis=1))
    return float(((normaliser - shifted[np.arange(len(labels)), labels]) * weights).mean())


def _floor(examples: Sequence[Example], verdicts: Sequence[Verdict], false_positives_max: float) -> float | None:
    """The lowest floor that keeps false positives within the bound; None if none does."""
    kept = [
        (_share_of_promotional(verdict), verdict.label is Label.PROMOTIONAL)
        for example, verdict in zip(examples, verdicts, strict=True)
        if example.label is Label.TRANSACTIONAL and leans_promotional(verdict)
    ]
    transactional = sum(example.label is Label.TRANSACTIONAL for example in examples)
    for floor in FLOORS:
        # What is rather spam than either leans by the odds alone, whatever the floor.
        wrong = sum(share >= floor or not called for share, called in kept)
        if wrong <= false_positives_max * transactional:
            return floor
    return None


def _share_of_promotional(verdict: Verdict) -> float:
    transactional = verdict.probability_of(Label.TRANSACTIONAL)
    promotional = verdict.probability_of(Label.PROMOTIONAL)
    return promotional / (promotional + transactional)
