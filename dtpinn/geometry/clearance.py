"""Keeping points apart: from those already there, and from each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.cell import Cell

# A candidate lies at one spacing from its parent up to round-off, which must not count as too near.
ROUND_OFF = 1.0 - 1e-9


class GrowingCloud:
    """A set of points that grows, and answers what is near.

    A k-d tree cannot grow. So this holds a few trees of decreasing size and merges those of
    similar size: every point is rebuilt O(log n) times in all. The latest points are in the
    smallest tree, which is asked first, because a candidate that is too near to something is
    usually too near to something recent.

    Parameters
    ----------
    cell
        Of a periodic domain: what is near across a seam is near.

    Examples
    --------
    >>> cloud = GrowingCloud(Cell.open(2))
    >>> cloud.add(np.array([[0.0, 0.0]]))
    >>> cloud.clear(np.array([[0.5, 0.0], [2.0, 0.0]]), np.array([1.0, 1.0]))
    array([1])
    """

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._trees: list[Any] = []

    def add(self, points: Floats) -> None:
        """Add ``points`` (n, d)."""
        while self._trees and self._trees[-1].n <= 2 * len(points):
            points = np.concatenate([np.asarray(self._trees.pop().data), points])
        # Sliding-midpoint trees are built several times faster, and these live briefly.
        self._trees.append(self._cell.tree(points, balanced_tree=False, compact_nodes=False))

    def clear(self, points: Floats, radius: Floats) -> Integers:
        """Rows of ``points`` (n, d) with nothing of the cloud nearer than ``radius`` (n,)."""
        rows = np.arange(len(points))
        for tree in reversed(self._trees):
            if not rows.size:
                break
            reach = float(radius[rows].max())
            distance, _ = tree.query(points[rows], distance_upper_bound=reach)
            rows = rows[distance >= ROUND_OFF * radius[rows]]
        return rows


def independent_set(count: int, pairs: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Choose items so that no two form a pair, earlier items first.

    The result is that of the plain loop "take item i unless it forms a pair with one taken
    before", found in a few vectorised rounds: in each, every item that no remaining earlier one
    objects to is taken, and its partners are struck out.

    Parameters
    ----------
    count
        Number of items, in order of preference.
    pairs
        (m, 2), rows (i, j) with i < j: items that exclude each other.

    Returns
    -------
    taken
        (count,)

    Examples
    --------
    >>> independent_set(4, np.array([[0, 1], [1, 2], [2, 3]]))
    array([ True, False,  True, False])
    """
    earlier, later = pairs[:, 0], pairs[:, 1]
    open_ = np.ones(count, dtype=np.bool_)
    taken = np.zeros(count, dtype=np.bool_)
    while earlier.size:
        wins = open_.copy()
        wins[later] = False
        taken |= wins
        open_ &= ~wins
        open_[later[wins[earlier]]] = False
        still = open_[earlier] & open_[later]
        earlier, later = earlier[still], later[still]
    return taken | open_


def keep_apart(
    points: Floats,
    radius: Floats,
    harmless: Callable[[npt.NDArray[np.intp]], npt.NDArray[np.bool_]] | None = None,
    cell: Cell | None = None,
) -> npt.NDArray[np.bool_]:
    """Choose ``points`` (n, d), earlier first, none nearer than its ``radius`` to one chosen.

    Pairs (m, 2) of rows that are ``harmless`` (m,) may be nearer. With a ``cell``, images count.

    Examples
    --------
    >>> keep_apart(np.array([[0.0], [0.6], [1.2]]), np.ones(3))
    array([ True, False,  True])
    """
    pairs = _too_near(points, radius, Cell.open(points.shape[1]) if cell is None else cell)
    return independent_set(len(points), pairs if harmless is None else pairs[~harmless(pairs)])


def _too_near(points: Floats, radius: Floats, cell: Cell) -> npt.NDArray[np.intp]:
    """Pairs (i, j), i < j, of ``points`` nearer to each other than the ``radius`` of j.

    An octave of radii at a time: asked for all pairs within the largest radius, points a hundred
    times denser elsewhere would answer with ten thousand partners each.
    """
    tree = cell.tree(points)
    reach = float(radius.max(initial=0.0))
    if not radius.size or float(radius.min()) == reach:
        return np.asarray(tree.query_pairs(ROUND_OFF * reach, output_type="ndarray"))
    found = [np.zeros((0, 2), dtype=np.intp)]
    octave = np.floor(np.log2(radius))
    for level in np.unique(octave):
        rows = np.flatnonzero(octave == level)
        near = cell.tree(points[rows]).sparse_distance_matrix(
            tree, float(radius[rows].max()), output_type="ndarray"
        )
        later, earlier = rows[near["i"]], near["j"]
        close = (earlier < later) & (near["v"] < ROUND_OFF * radius[later])
        found.append(np.column_stack([earlier[close], later[close]]))
    return np.concatenate(found)
