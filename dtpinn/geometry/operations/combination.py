"""Two domains combined: the boundary of their union, intersection or difference."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.arc import Arc, Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.curves.loops import Loops
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.operations.blend import Blend
from dtpinn.geometry.operations.common import agreements
from dtpinn.geometry.operations.crossings import TOUCHING, cut, glue
from dtpinn.geometry.operations.ends import Ends
from dtpinn.geometry.operations.parts import distinct_names
from dtpinn.geometry.operations.repeated import as_periodic
from dtpinn.geometry.spacing import SpacingLike


@dataclass(frozen=True)
class Combination(Domain):
    """Two domains of equal dimension, combined: a union, an intersection or a difference.

    On the line and in the plane the boundary is found once, exactly: the curves are cut where they
    cross, and the pieces that bound the result are joined to new loops, in which every crossing is
    a corner. The signed distance is the exact distance to them. In space it is the minimum or
    maximum of the two distances, which may underestimate.

    Boundaries that touch in a point leave two loops there. A stretch that the two have in common
    stays, with the names of the left domain, where the result lies on one side of it only: so two
    rectangles with a side in common unite without a seam.

    Parts keep their names. A name of the right domain that the left one has too gets the next free
    number: ``"circle"`` and ``"circle_2"``. A part of which nothing is left is no part of the
    result, in space of the boundary that is walked.

    With a periodic domain the other one comes again in every cell, and may cross the seam:
    ``Rectangle(periodic=True) - Disk(0.3)`` is the space around an array of cylinders.

    Raises
    ------
    TypeError
        If one of the two is not a domain.
    ValueError
        If the dimensions differ, or nothing is left. If both are periodic and not alike, or the
        other one is as wide as the period, so that it meets its own image.
    """

    left: Domain
    right: Domain

    # The signed distance is signs[0] * max(signs[1] * left, signs[2] * right).
    signs: ClassVar[tuple[int, int, int]]

    def __post_init__(self) -> None:
        for domain in (self.left, self.right):
            if not isinstance(domain, Domain):
                raise TypeError(
                    f"{type(self).__name__} is of two domains, such as Disk(); "
                    f"got {type(domain).__name__}"
                )
        if self.left.dimension != self.right.dimension:
            raise ValueError(
                f"{type(self).__name__} is of two domains of equal dimension; got {self.left!r} in "
                f"{self.left.dimension}-D and {self.right!r} in {self.right.dimension}-D"
            )
        _ = self._result  # an empty one is an error here, and not when it is first used

    def __reduce__(self) -> tuple[type[Combination], tuple[Domain, Domain]]:
        # Without the result: it holds functions, which cannot be pickled.
        return type(self), (self.left, self.right)

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return self.left.dimension

    @property
    def cell(self) -> Cell:
        """The period, that of either of the two."""
        return self.left.cell if self.left.cell.periodic else self.right.cell

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of a box that holds the domain, (2, d)."""
        return self._result.bounds

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the left domain's parts, then of the right one's."""
        return self._result.parts

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, d) to the boundary, negative inside; (n,)."""
        return self._result.signed_distance(points)

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at ``points`` (n, d) of the boundary, the mean at corners."""
        return self._result.normal(points)

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index in ``parts`` for each of ``points`` (n, d) of the boundary; (n,)."""
        return self._result.nearest_part(points)

    def boundary_curves(self) -> Sequence[Curve]:
        """Boundary of a combination in the plane."""
        return self._result.boundary_curves()

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points on the boundary; in the plane corners are nodes, in space those on creases."""
        return self._result.walk_boundary(spacing)

    def old_parts(self, parts: Set[str]) -> tuple[set[str], set[str]]:
        """Of each domain the parts that are called so, and with these those that are no more."""
        self.check_apart()
        names = distinct_names(self.left.parts, self.right.parts)
        count = len(self.left.parts)
        halves = ((self.left, names[:count]), (self.right, names[count:]))
        left, right = (
            {old for old, new in zip(domain.parts, own, strict=True)
             if new in parts or new not in self.parts} if parts & set(own) else set()
            for domain, own in halves
        )  # fmt: skip
        return left, right

    def check_apart(self) -> None:
        """Refuse boundaries with a stretch in common, where the functions of both vanish."""
        if self._in_common:
            raise self.no_formula("the boundary, as those of the two have a stretch in common,")

    @cached_property
    def _in_common(self) -> bool:
        agree = agreements(self.left, self.right, self._size)
        # What a union has in common lies inside it, or is a kink; what a difference has in common
        # on the same side is cut off.
        agree = np.abs(agree) if self.signs[0] < 0 else agree * self.signs[1] * self.signs[2]
        return bool((agree > 0.0).any())

    @cached_property
    def _result(self) -> Domain:
        """The combination as a domain that knows its own boundary."""
        names = distinct_names(self.left.parts, self.right.parts)
        make = {1: self._on_the_line, 2: self._in_the_plane, 3: self._in_space}
        return make[self.dimension](names)

    @cached_property
    def _pair(self) -> tuple[Domain, Domain]:
        """The two, with one period."""
        return as_periodic(self.left, self.cell), as_periodic(self.right, self.cell)

    def _on_the_line(self, names: tuple[str, ...]) -> Domain:
        kept = []
        for domain, other, sign, turn, first in self._sides():
            ends = domain.walk_boundary(0.5 * _size(domain))  # all ends, whatever the spacing
            distance = other.signed_distance(ends.points)
            along = np.sign(np.sum(ends.normals * other.normal(ends.points), axis=1))
            side = np.where(np.abs(distance) <= TOUCHING * self._size, 0.0, np.sign(distance))
            rows = self._bounds_the_result(side, along, sign, first == 0)
            kept.append(
                (
                    self.cell.wrap(ends.points[rows]),
                    turn * ends.normals[rows],
                    first + ends.part[rows],
                )
            )
        points, normals, part = (np.concatenate(column) for column in zip(*kept, strict=True))
        self._check_something_left(len(points))
        return Ends(Boundary(points, normals, part, names).without(names), self.cell)

    def _in_the_plane(self, names: tuple[str, ...]) -> Domain:
        kept: list[Arc] = []
        for domain, other, sign, turn, first in self._sides():
            for piece in cut(domain.boundary_curves(), other, self._size):
                arc = replace(piece.arc, part=first + piece.arc.part)
                middle = np.array([0.5])
                along = np.sum(arc.normal_at(middle) * other.normal(arc.at(middle)), axis=1)
                if self._bounds_the_result(np.array([piece.side]), along, sign, first == 0)[0]:
                    kept.append(arc if turn > 0 else arc.turned())
        self._check_something_left(len(kept))
        used, part = np.unique([arc.part for arc in kept], return_inverse=True)
        arcs = [replace(arc, part=int(number)) for arc, number in zip(kept, part, strict=True)]
        loops = glue(arcs, self._size, self.cell)
        return Loops(loops, tuple(names[number] for number in used), self.cell)

    def _in_space(self, names: tuple[str, ...]) -> Domain:
        result = Blend(*self._pair, self.signs, names)
        self._check_something_left(int((result.bounds[0] < result.bounds[1]).all()))
        return result

    def _sides(self) -> list[tuple[Domain, Domain, int, int, int]]:
        """Each domain with the other, the other's sign, its own sense, and its first part."""
        outer, first, second = self.signs
        left, right = self._pair
        return [
            (left, right, second, outer * first, 0),
            (right, left, first, outer * second, len(left.parts)),
        ]

    def _bounds_the_result(
        self, side: Floats, along: Floats, sign: int, is_left: bool
    ) -> npt.NDArray[np.bool_]:
        """Whether pieces of a boundary are kept, by the ``side`` of the other on which they lie.

        On it, where the two normals agree (``along``), one piece of the two is.
        """
        common = (along * self.signs[1] * self.signs[2] > 0.0) & is_left
        return np.asarray(np.where(side == 0, common, side * sign < 0))

    @property
    def _size(self) -> float:
        """Longest side of the larger one of the two."""
        return max(_size(self.left), _size(self.right))

    def _check_something_left(self, count: int) -> None:
        if not count:
            raise ValueError(
                f"nothing is left of the {type(self).__name__.lower()} of {self.left!r} and "
                f"{self.right!r}; their bounds are {self.left.bounds.tolist()} and "
                f"{self.right.bounds.tolist()}"
            )


def _size(domain: Domain) -> float:
    return float(np.max(np.ptp(domain.bounds, axis=0)))
