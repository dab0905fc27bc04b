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
PARTS = 3
ONE_CLASS = 0.8
STRANGERS_GROUPS_MIN = 500
"""Groups that a language must have to be held out by halves: with fewer, the language itself would be missing."""

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


def strangers(examples: Sequence[Example]) -> list[tuple[Places, Places]]:
    """Places of seen and of held-out examples, where what is held out was written by others and is about something
    else than what is seen: as near as a collection comes to the messages of people it knows nothing of.

    The sources of each language make two halves, the subjects three parts; one part of one half is held out, and the
    rest of that part and of that half is not seen. A language with one source or few groups is seen and never held
    out. A subject that is nearly all one class is held out by half alone, because the class would go with it. Empty if
    no language has two sources.
    """
    halves = _halves(examples)
    parts = {subject: number % PARTS for number, subject in enumerate(sorted({entry.subject for entry in examples}))}
    lasting = _of_one_class(examples) | {""}
    out = []
    for half in (0, 1):
        for part in range(PARTS):
            mine = [halves.get(entry.source) == half and parts[entry.subject] == part for entry in examples]
            held_out = {entry.group for entry, held in zip(examples, mine, strict=True) if held}
            seen = [
                place
                for place, entry in enumerate(examples)
                if halves.get(entry.source) != half
                and (parts[entry.subject] != part or entry.subject in lasting)
                and entry.group not in held_out
            ]
            if seen and any(mine):
                out.append((np.array(seen), np.flatnonzero(mine)))
    return out


def _halves(examples: Sequence[Example]) -> dict[str, int]:
    """Which half each source is in: the largest go first, each to the half that has less."""
    groups: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for example in examples:
        groups[example.language][example.source].add(example.group)
    halves: dict[str, int] = {}
    for sources in groups.values():
        if len(sources) < 2 or sum(map(len, sources.values())) < STRANGERS_GROUPS_MIN:
            continue
        sizes = [0, 0]
        for size, source in sorted((-len(found), source) for source, found in sources.items()):
            halves[source] = 0 if sizes[0] <= sizes[1] else 1
            sizes[halves[source]] -= size
    return halves


def _of_one_class(examples: Sequence[Example]) -> set[str]:
    counts: defaultdict[str, Counter[Label]] = defaultdict(Counter)
    for example in examples:
        counts[example.subject][example.label] += 1
    return {subject for subject, found in counts.items() if max(found.values()) > ONE_CLASS * found.total()}


def group_weights(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Every group counts by its weight, however often it occurs, and a class as the square root of its groups: between
    what a collection happens to have of it, which says little of the traffic to come, and the same for all, which makes
    too much spam of receipts. They average 1.
    """
    sizes = Counter(example.group for example in examples)
    weights = np.array([example.weight / sizes[example.group] for example in examples])
    labels = np.array([example.label for example in examples])
    for label in set(labels):
        weights[labels == label] /= math.sqrt(weights[labels == label].sum())
    return np.asarray(weights * len(examples) / weights.sum())
