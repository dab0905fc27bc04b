"""From labelled examples to a calibrated model and what it is worth, in one go.

Two cross-validations come first; their models have not seen what they are asked. One holds out groups, and says how
good such a model is on other messages of the same origin (the figures). The other holds out who wrote and what about
(`splitting.strangers`), and says how far to trust a score (the temperature) and where promotional begins (the floor) on
messages of other origin, which is what a model meets. Where all is of one origin, the first serves for both. The model
that is handed out learns from everything.
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
    """`figures` are those of held-out groups, `of_strangers` those of held-out origins, if there are any. `floor_kept`
    is whether a floor keeps the bound on false positives.
    """

    weights: Weights
    figures: Figures
    of_strangers: Figures | None
    floor_kept: bool


class _HeldOut(msgspec.Struct, frozen=True):
    """Examples, each with a model that has not seen it. `folds` are the models and the places they are asked about."""

    examples: Sequence[Example]
    folds: Sequence[tuple[Weights, Sequence[int]]]

    @property
    def asked(self) -> list[Example]:
        return [self.examples[place] for _, unseen in self.folds for place in unseen]

    def verdicts(self, temperature: float, floor: float) -> list[Verdict]:
        """In the order of `asked`."""
        out: list[Verdict] = []
        for weights, unseen in self.folds:
            fitted = msgspec.structs.replace(weights, temperature=temperature, promotional_floor=floor)
            model = Model(fitted, "fold")
            out += [model.judge(fingerprint(self.examples[place].text)) for place in unseen]
        return out

    def scores(self) -> linear.Floats:
        """In the order of `asked`, one column a label."""
        out: list[list[float]] = []
        for weights, unseen in self.folds:
            model = Model(weights, "fold")
            out += [model.scores(fingerprint(self.examples[place].text))[1][: len(LABELS)] for place in unseen]
        return np.array(out)


def build(
    examples: Sequence[Example],
    *,
    false_positives_max: float,
    progress: Progress | None = None,
) -> Built:
    """Train, calibrate and judge. `examples` must have groups (`splitting.grouped`) and enough of them
    (`splitting.check`). `false_positives_max` bounds the share of held-out transactional messages that are called
    promotional. Deterministic.
    """
    # One thread: these matrices are too small for more, and so the sums don't depend on the number of cores.
    with threadpool_limits(1):
        return _build(examples, false_positives_max, progress or (lambda step, steps: None))


def _build(examples: Sequence[Example], false_positives_max: float, done: Progress) -> Built:
    near, far = list(splitting.folds(examples)), splitting.strangers(examples)
    steps = len(near) + len(far) + 1
    fitted: list[tuple[Weights, Sequence[int]]] = []
    for seen, unseen in near + far:
        done(len(fitted), steps)
        weights = linear.fit([examples[place] for place in seen], with_kinds=False)
        fitted.append((weights, unseen.tolist()))
    done(len(fitted), steps)
    groups, origins = _HeldOut(examples, fitted[: len(near)]), _HeldOut(examples, fitted[len(near) :])
    chosen_by = origins if far else groups
    temperature = _temperature(chosen_by)
    kept = _floor(chosen_by.asked, chosen_by.verdicts(temperature, FLOORS[0]), false_positives_max)
    floor = FLOORS[-1] if kept is None else kept
    weights = linear.fit(examples)
    done(steps, steps)
    return Built(
        msgspec.structs.replace(weights, temperature=temperature, promotional_floor=floor),
        figures_of(groups.asked, groups.verdicts(temperature, floor)),
        figures_of(origins.asked, origins.verdicts(temperature, floor)) if far else None,
        kept is not None,
    )


def held_out_verdicts(
    examples: Sequence[Example],
    seen: Sequence[int],
    unseen: Sequence[int],
    like: Weights,
) -> list[Verdict]:
    """What a model that learnt from `seen` says of `unseen`, with the temperature and floor of another."""
    weights = linear.fit([examples[place] for place in seen], with_kinds=False)
    return _HeldOut(examples, [(weights, unseen)]).verdicts(like.temperature, like.promotional_floor)


def _temperature(held_out: _HeldOut) -> float:
    """What the scores have to be divided by for the probabilities on held-out examples to be honest (Guo and others,
    2017): the value of least log loss.
    """
    scores, asked = held_out.scores(), held_out.asked
    labels = np.array([LABELS.index(example.label) for example in asked])
    counts = splitting.group_weights(asked)
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
        (_share_of_promotional(verdict), verdict.label is Label.PROMOTIONAL, example.weight)
        for example, verdict in zip(examples, verdicts, strict=True)
        if example.label is Label.TRANSACTIONAL and leans_promotional(verdict)
    ]
    transactional = sum(example.weight for example in examples if example.label is Label.TRANSACTIONAL)
    for floor in FLOORS:
        # What is rather spam than either leans by the odds alone, whatever the floor.
        wrong = sum(weight for share, called, weight in kept if share >= floor or not called)
        if wrong <= false_positives_max * transactional:
            return floor
    return None


def _share_of_promotional(verdict: Verdict) -> float:
    transactional = verdict.probability_of(Label.TRANSACTIONAL)
    promotional = verdict.probability_of(Label.PROMOTIONAL)
    return promotional / (promotional + transactional)
