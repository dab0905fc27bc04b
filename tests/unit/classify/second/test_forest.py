from __future__ import annotations

import msgspec
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from chappe.classify.second.forest import Forest, check
from chappe.classify.training.forest import as_arrays
from chappe.model.errors import InvalidConfiguration

_CHANCE = np.random.default_rng(3)
_VALUES = _CHANCE.normal(size=(120, 6)).astype(np.float32)
_LABELS = (_VALUES[:, 0] > 0).astype(int) + 2 * (_VALUES[:, 1] > 0.5)


@pytest.fixture(scope="module")
def fitted() -> RandomForestClassifier:
    return RandomForestClassifier(15, random_state=0).fit(_VALUES, _LABELS)


def test_the_arrays_say_what_the_trees_say(fitted: RandomForestClassifier) -> None:
    forest = as_arrays(fitted)
    check(forest, 6, 4)
    assert forest.trees == 15
    asked = _CHANCE.normal(size=(40, 6)).astype(np.float32)
    found = np.array([forest.probabilities(row) for row in asked])
    assert np.abs(found - fitted.predict_proba(asked)).max() < 1e-3


def test_a_class_that_never_occurs_has_no_share() -> None:
    forest = as_arrays(RandomForestClassifier(3, random_state=0).fit(_VALUES, _LABELS % 2))
    assert forest.probabilities(_VALUES[0])[2:] == [0.0, 0.0]


@pytest.mark.parametrize(
    "change",
    [
        {"left": "back"},
        {"feature": "beyond"},
        {"threshold": "short"},
        {"roots": "beyond"},
        {"shares": "beyond"},
        {"leaves": "nan"},
        {"right": "float"},
    ],
)
def test_arrays_that_would_lead_nowhere_or_in_circles_are_refused(
    fitted: RandomForestClassifier, change: dict[str, str]
) -> None:
    forest = as_arrays(fitted)
    ((name, how),) = change.items()
    array = getattr(forest, name).copy()
    if how == "short":
        array = array[:-1]
    elif how == "float":
        array = array.astype(np.float32)
    elif how == "nan":
        array[0, 0] = np.nan
    elif how == "back":
        array[np.flatnonzero(forest.left != np.arange(len(array)))[1]] = 0
    else:
        array[0] = 10_000_000
    with pytest.raises(InvalidConfiguration):
        check(msgspec.structs.replace(forest, **{name: array}), 6, 4)


def test_a_node_that_is_its_own_child_on_one_side_is_refused() -> None:
    one = np.zeros(1, dtype=np.int32)
    forest = Forest(
        roots=one,
        feature=np.zeros(2, np.int32),
        threshold=np.zeros(2, np.float32),
        left=np.array([0, 1], np.int32),
        right=np.array([1, 1], np.int32),
        shares=np.zeros(2, np.int32),
        leaves=np.ones((1, 4), np.float16),
    )
    with pytest.raises(InvalidConfiguration):
        check(forest, 1, 4)
