"""A random forest as plain arrays: inspectable, loaded without running anything, asked without scikit-learn.

All trees stand in the same arrays, one entry a node. `left` and `right` are the places of a node's children, always
after their parent; a leaf is its own child. All trees go down one step at a time together, so that one question costs
as many steps in numpy as the deepest tree is deep, and not one per tree and node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chappe.model.errors import InvalidConfiguration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEPTH_MAX = 10_000


class Forest(msgspec.Struct, frozen=True):
    """`feature` (int32) and `threshold` (float32) are what a node asks: a value up to the threshold goes left.
    `shares` has for every node the row of `leaves` that a leaf gives (float16, one column a class).
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    shares: NDArray[np.int32]
    leaves: NDArray[np.float16]

    @property
    def trees(self) -> int:
        return len(self.roots)

    def probabilities(self, values: NDArray[np.float32]) -> list[float]:
        """The mean of the trees for one row of values."""
        import numpy as np

        places = self.roots
        for _ in range(DEPTH_MAX):
            goes_left = values[self.feature[places]] <= self.threshold[places]
            below = np.where(goes_left, self.left[places], self.right[places])
            if np.array_equal(below, places):
                break
            places = below
        found: list[float] = self.leaves[self.shares[places]].mean(axis=0, dtype=np.float64).tolist()
        return found


def check(forest: Forest, width: int, classes: int) -> None:
    """Raises `InvalidConfiguration` if the arrays are not a forest over so many values and classes."""
    import numpy as np

    size = len(forest.feature)
    columns = (forest.feature, forest.threshold, forest.left, forest.right, forest.shares)
    if not (size and len(forest.roots) and all(column.shape == (size,) for column in columns)):
        raise InvalidConfiguration("the arrays of this second opinion do not make a forest: their lengths differ.")
    if any(column.dtype != np.int32 for column in (forest.roots, *columns) if column is not forest.threshold):
        raise InvalidConfiguration("the arrays of this second opinion do not make a forest: places must be int32.")
    places = np.arange(size)
    below = (forest.left > places) & (forest.right > places)
    leaf = (forest.left == places) & (forest.right == places)
    sound = (
        _within(forest.roots, size)
        and _within(forest.feature, width)
        and _within(forest.shares, len(forest.leaves))
        and _within(forest.left, size)
        and _within(forest.right, size)
        # Children after parents, so that every way down ends; a leaf is its own child on both sides.
        and bool((below | leaf).all())
        and forest.leaves.shape[1:] == (classes,)
        and bool(np.isfinite(forest.leaves).all())
    )
    if not sound:
        raise InvalidConfiguration("the arrays of this second opinion do not make a forest: a node leads nowhere.")


def _within(array: NDArray[np.int32], bound: int) -> bool:
    return not len(array) or bool(array.min() >= 0 and array.max() < bound)
