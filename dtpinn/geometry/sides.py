"""Sides of a boundary: where parts meet, a point belongs to each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_indices, as_normals

# Two sides of one part whose normals are nearer than this cosine, 2.5 degrees, are one side twice.
SAME = 0.999


@dataclass(frozen=True, eq=False)
class Sides:
    """Which parts of a boundary its points lie on, each with the normal that it has there.

    Inside a smooth part a point has one side. At a corner it has one for each of the pieces that
    meet, with the normal of that piece, and a condition on the boundary holds on each of them. So
    does a point in which one part ends and another begins on a smooth boundary: there the normals
    agree and the parts differ.

    Attributes
    ----------
    point
        (m,), ascending: the row of the boundary point that each side belongs to.
    normals
        (m, d), of unit length, outward.
    part
        (m,), the index of the part.

    Examples
    --------
    The corner of a square, and a point beside it:

    >>> outward = np.array([[0.0, -1.0], [1.0, 0.0], [1.0, 0.0]])
    >>> sides = Sides(np.array([0, 0, 1]), outward, part=np.array([0, 1, 1]))
    >>> sides.several(2)
    array([ True, False])
    >>> sides.of(np.array([1, 0])).point
    array([0, 1, 1])
    """

    point: Integers
    normals: Floats
    part: Integers

    @classmethod
    def one_each(cls, normals: Floats, part: Integers) -> Sides:
        """Return the sides of points (nb,) that have one each."""
        return cls(np.arange(len(part)), normals, part)

    def __len__(self) -> int:
        """Return the number of sides, m."""
        return len(self.point)

    def several(self, count: int) -> npt.NDArray[np.bool_]:
        """Whether each of ``count`` points has more than one side; (count,)."""
        return np.bincount(self.point, minlength=count) > 1

    def of(self, points: npt.NDArray[np.integer]) -> Sides:
        """Return the sides of some points, in their order; a point's row is its place there."""
        count = np.bincount(self.point, minlength=int(points.max(initial=-1)) + 1)
        first = np.cumsum(count) - count
        here = np.repeat(np.arange(len(points)), count[points])
        place = np.arange(len(here)) - np.repeat(
            np.cumsum(count[points]) - count[points], count[points]
        )
        rows = first[points][here] + place
        return Sides(here, self.normals[rows], self.part[rows])


def joined_sides(pieces: Sequence[Sides], counts: Sequence[int]) -> Sides:
    """Return the sides of several sets of points, ``counts`` in each, one after the other."""
    starts = np.cumsum([0, *counts[:-1]])
    return Sides(
        np.concatenate([piece.point + start for piece, start in zip(pieces, starts, strict=True)]),
        np.concatenate([piece.normals for piece in pieces]),
        np.concatenate([piece.part for piece in pieces]),
    )


def united_sides(sides: Sides, points: npt.NDArray[np.integer], alike: float = SAME) -> Sides:
    """Return ``sides`` after points became one: what was point i is point ``points[i]`` now.

    Sides that a point then has of one part, with normals of a larger cosine than ``alike``, become
    one side with their mean normal.

    Examples
    --------
    The end of one line and the start of the next, at right angles:

    >>> ends = Sides.one_each(np.array([[0.0, -1.0], [1.0, 0.0]]), np.array([0, 1]))
    >>> united_sides(ends, np.array([0, 0])).point
    array([0, 0])
    """
    order = np.argsort(points[sides.point], kind="stable")
    point, normals, part = points[sides.point][order], sides.normals[order], sides.part[order]
    first = np.arange(len(point))
    for back in range(1, int(np.bincount(point).max(initial=0))):
        same = (point[back:] == point[:-back]) & (part[back:] == part[:-back])
        same &= np.einsum("ij,ij->i", normals[back:], normals[:-back]) > alike
        rows = np.flatnonzero(same)
        first[rows + back] = first[rows]
    total = normals.copy()
    again = np.flatnonzero(first != np.arange(len(first)))
    np.add.at(total, first[again], normals[again])
    several = np.unique(first[again])
    total[several] /= np.linalg.norm(total[several], axis=1, keepdims=True)
    kept = np.setdiff1d(np.arange(len(first)), again)
    return Sides(point[kept].astype(np.int64), total[kept], part[kept])


def part_among(part: Integers, sides: Sides) -> Integers:
    """Return the ``part`` (nb,) of each point, or its first side's where no side has that one.

    Examples
    --------
    >>> sides = Sides(np.array([0, 0, 1]), np.eye(3), np.array([4, 2, 2]))
    >>> part_among(np.array([2, 7]), sides)
    array([2, 2])
    """
    has = np.zeros(len(part), dtype=np.bool_)
    has[sides.point[sides.part == part[sides.point]]] = True
    first = np.searchsorted(sides.point, np.arange(len(part)))
    return np.where(has, part, sides.part[first])


def checked_sides(sides: Sides, points: Floats, parts: int) -> Sides:
    """Return read-only copies of ``sides``, if they are those of ``points`` (nb, d).

    Raises
    ------
    TypeError
        If a row or a part is not an integer.
    ValueError
        If one is out of range, the points' rows do not ascend, a point has no side, or a normal is
        not of unit length.
    """
    point = as_indices(sides.point, "sides.point", len(points), len(sides.point))
    step = np.diff(point, prepend=-1, append=len(points))
    if step.min() < 0 or step.max() > 1 or (len(points) and not len(point)):
        raise ValueError(
            f"sides.point must ascend and name each of the {len(points)} boundary points at least "
            "once"
        )
    normals = as_normals(sides.normals, points[point], "sides.normals")
    part = as_indices(sides.part, "sides.part", parts, len(point))
    return Sides(_read_only(point), _read_only(normals), _read_only(part))


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    copy = array.copy(order="C")
    copy.flags.writeable = False
    return copy
