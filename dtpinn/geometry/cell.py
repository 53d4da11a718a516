"""The cell of a periodic domain: what lies across a seam is near."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers

# Of the period: corners of two cells that are as near to each other are the same.
SAME = 1e-9


@dataclass(frozen=True)
class Cell:
    """One period of the plane, the line or space, in the directions that repeat themselves.

    Everything that has to do with periods is here: which image of a point lies in the cell, the
    way from one point to the nearest image of another, a tree that knows neighbours across the
    seam, and the images around the cell.

    Attributes
    ----------
    lower
        (d,): in a periodic direction the cell is ``lower <= x < lower + period``.
    periods
        (d,), the period in each direction; inf where there is none.

    Examples
    --------
    A channel that repeats itself in x:

    >>> channel = Cell((0.0, 0.0), (1.0, math.inf))
    >>> channel.wrap(np.array([[1.25, 7.0], [-0.25, -3.0]]))
    array([[ 0.25,  7.  ],
           [ 0.75, -3.  ]])
    >>> channel.difference(np.array([[0.9, 0.0]]), np.array([[0.1, 0.0]])).round(9)
    array([[-0.2,  0. ]])
    >>> channel.tree(np.array([[0.1, 0.0], [0.6, 0.0]])).query([[0.95, 0.0]])[1]
    array([0])
    """

    lower: tuple[float, ...]
    periods: tuple[float, ...]

    @classmethod
    def open(cls, dimension: int) -> Cell:
        """Return the cell of a domain that is not periodic."""
        return cls((0.0,) * dimension, (math.inf,) * dimension)

    @classmethod
    def of_box(cls, lower: Sequence[float], upper: Sequence[float], which: Sequence[bool]) -> Cell:
        """Return the cell of a box that is periodic in the directions ``which``."""
        return cls(
            tuple(float(a) if repeats else 0.0 for a, repeats in zip(lower, which, strict=True)),
            tuple(
                float(b - a) if repeats else math.inf
                for a, b, repeats in zip(lower, upper, which, strict=True)
            ),
        )

    @property
    def axes(self) -> tuple[int, ...]:
        """The periodic directions, ascending."""
        return tuple(k for k, period in enumerate(self.periods) if math.isfinite(period))

    @property
    def periodic(self) -> bool:
        """Whether there is one."""
        return bool(self.axes)

    def box(self, bounds: Floats) -> Floats:
        """Return ``bounds`` (2, d) with the cell's own in the periodic directions."""
        box = bounds.copy()
        for k in self.axes:
            box[:, k] = self.lower[k], self.lower[k] + self.periods[k]
        return box

    def wrap(self, points: Floats) -> Floats:
        """Return the images of ``points`` (n, d) in the cell; those in it stay, bit for bit."""
        if not self.periodic:
            return points
        wrapped = points.copy()
        for k in self.axes:
            x, low, period = points[:, k], self.lower[k], self.periods[k]
            out = (x < low) | (x >= low + period)
            moved = low + np.mod(x[out] - low, period)
            wrapped[out, k] = np.where(moved >= low + period, low, moved)  # by round-off
        return wrapped

    def step(self, axis: int) -> Floats:
        """Return the way of one period in a direction, (d,)."""
        return np.asarray(self.periods[axis] * np.eye(len(self.periods))[axis])

    def difference(self, points: Floats, origins: Floats) -> Floats:
        """Return the way to the nearest image of ``points`` (..., d) from ``origins`` (..., d)."""
        way = points - origins
        for k in self.axes:
            way[..., k] -= self.periods[k] * np.round(way[..., k] / self.periods[k])
        return way

    def beside(self, points: Floats, origins: Floats) -> Floats:
        """Return the image of each of ``points`` (..., d) that is nearest to its origin."""
        return origins + self.difference(points, origins) if self.periodic else points

    def tree(self, points: Floats, **options: Any) -> Any:
        """Return a cKDTree of ``points`` (n, d), to which what lies across a seam is near."""
        if self.periodic:
            return _WrappedTree(self, points, options)
        return cKDTree(points, **options)

    def shifts(self) -> Floats:
        """Return the ways to the cell and the 2, 8 or 26 around it, (m, d), the cell first."""
        steps = itertools.product(*[(0.0, -1.0, 1.0) if k in self.axes else (0.0,)
                                    for k in range(len(self.periods))])  # fmt: skip
        lengths = [period if math.isfinite(period) else 0.0 for period in self.periods]
        return np.array(list(steps)) * lengths

    def images(self, points: Floats, reach: float) -> tuple[Floats, Integers]:
        """Return the images of ``points`` (n, d) outside the cell and within ``reach`` of it.

        Returns
        -------
        images
            (m, d); there may be several of a point, where the reach is longer than the period.
        origin
            (m,), the row of each.

        Examples
        --------
        >>> Cell((0.0,), (1.0,)).images(np.array([[0.1], [0.5]]), 0.2)
        (array([[1.1]]), array([0]))
        """
        found, origin = points, np.arange(len(points))
        for k in self.axes:
            low, period = self.lower[k], self.periods[k]
            laps = math.ceil(reach / period) + 1
            moved = [(found, origin)]
            for lap in (lap for lap in range(-laps, laps + 1) if lap):
                x = found[:, k] + lap * period
                rows = np.flatnonzero((x >= low - reach) & (x < low + period + reach))
                image = found[rows].copy()
                image[:, k] = x[rows]
                moved.append((image, origin[rows]))
            found, origin = (np.concatenate(column) for column in zip(*moved, strict=True))
        return found[len(points) :], origin[len(points) :]

    def same_as(self, other: Cell) -> bool:
        """Whether the same points are images of each other."""
        return self.axes == other.axes and all(
            abs(self.periods[k] - other.periods[k]) <= SAME * self.periods[k] for k in self.axes
        )


class _WrappedTree:
    """A cKDTree on the torus; points go in and are asked wherever they lie."""

    def __init__(self, cell: Cell, points: Floats, options: dict[str, Any]) -> None:
        self.data, self.n, self._cell = points, len(points), cell
        size = [period if math.isfinite(period) else 0.0 for period in cell.periods]
        self._tree = cKDTree(self._local(points), boxsize=size, **options)

    def _local(self, points: npt.ArrayLike) -> Floats:
        """Coordinates from the cell's lower corner, which the tree wants in [0, period)."""
        local = self._cell.wrap(np.asarray(points, dtype=np.float64)) - self._cell.lower
        for k in self._cell.axes:
            local[local[:, k] >= self._cell.periods[k], k] = 0.0
        return local

    def query(self, points: npt.ArrayLike, *args: Any, **options: Any) -> Any:
        return self._tree.query(self._local(points), *args, **options)

    def query_pairs(self, *args: Any, **options: Any) -> npt.NDArray[np.intp]:
        pairs: npt.NDArray[np.intp] = self._tree.query_pairs(*args, **options)
        return pairs

    def sparse_distance_matrix(self, other: _WrappedTree, *args: Any, **options: Any) -> Any:
        return self._tree.sparse_distance_matrix(other._tree, *args, **options)
