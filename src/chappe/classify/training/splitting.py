"""Splits that keep what is alike together. There is no other kind here: a random split of messages puts fillings of one
template on both sides and measures memory (99.8 % on real messages, where new templates get 95 %).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Label
from chappe.classify.training import near_duplicates
from chappe.classify.training.examples import Example
from chappe.model.errors import InvalidConfiguration

FOLDS = 5
GROUPS_MIN = 2 * FOLDS
"""Groups that a class must have: two in every fold."""

Places = NDArray[np.int64]


def grouped(examples: Sequence[Example]) -> list[Example]:
    """The examples with groups that may be relied on: those without one get one by likeness, and groups that share a
    fingerprint are one, whatever they were called.
    """
    loose = [place for place, example in enumerate(examples) if not example.group]
    out = list(examples)
    for place, first in zip(loose, near_duplicates.groups([examples[place].text for place in loose]), strict=True):
        out[place] = msgspec.structs.replace(examples[place], group=f"alike-{loose[first]}")
    return _joined(out)


def _joined(examples: list[Example]) -> list[Example]:
    numbers: dict[str, int] = {}
    parents: list[int] = []
    by_print: dict[bytes, int] = {}
    for example in examples:
        number = numbers.setdefault(example.group, len(numbers))
        if number == len(parents):
            parents.append(number)
        other = by_print.setdefault(fingerprint(example.text), number)
        first, second = sorted((near_duplicates.root(parents, number), near_duplicates.root(parents, other)))
        parents[second] = first
    names = list(numbers)
    return [
        msgspec.structs.replace(example, group=names[near_duplicates.root(parents, numbers[example.group])])
        for example in examples
    ]


def check(examples: Sequence[Example]) -> None:
    """Raises `InvalidConfiguration` if the examples cannot be split by group: a class with too few groups."""
    groups: defaultdict[Label, set[str]] = defaultdict(set)
    for example in examples:
        groups[example.label].add(example.group)
    if len(groups) < 2:
        raise InvalidConfiguration("there must be examples of at least two classes to tell apart.")
    few = {label: len(found) for label, found in groups.items() if len(found) < GROUPS_MIN}
    if few:
        told = ", ".join(f"{label} has {count}" for label, count in few.items())
        raise InvalidConfiguration(
            f"a class needs at least {GROUPS_MIN} groups of messages that are alike, to hold some out: {told}. "
            "Add messages made from other templates, or the project's corpus with --corpus."
        )


def folds(examples: Sequence[Example], count: int = FOLDS, seed: int = 0) -> Iterator[tuple[Places, Places]]:
    """Places of seen and of held-out examples, so many times; a group is wholly in one of them. Classes are spread."""
    labels = [example.label for example in examples]
    groups = [example.group for example in examples]
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    yield from splitter.split(np.zeros(len(labels)), labels, groups)


def by_source(examples: Sequence[Example]) -> Iterator[tuple[str, Places, Places]]:
    """Each source (a file, a language, an author) held out in turn, with the groups it shares with others."""
    for source in sorted({example.source for example in examples}):
        mine = {example.group for example in examples if example.source == source}
        unseen = [place for place, example in enumerate(examples) if example.source == source]
        seen = [place for place, example in enumerate(examples) if example.group not in mine]
        if seen:
            yield source, np.array(seen), np.array(unseen)


def group_weights(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Every group counts once, however often it occurs, and a class as the square root of its groups: between what a
    collection happens to have of it, which says little of the traffic to come, and the same for all, which makes too
    much spam of receipts. They average 1.
    """
    sizes = Counter(example.group for example in examples)
    weights = np.array([1 / sizes[example.group] for example in examples])
    labels = np.array([example.label for example in examples])
    for label in set(labels):
        weights[labels == label] /= math.sqrt(weights[labels == label].sum())
    return np.asarray(weights * len(examples) / weights.sum())
