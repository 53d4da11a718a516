"""Union, intersection and difference of domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.arc import Arc, Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.curves.loops import Loops
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.operations.blend import Blend
from dtpinn.geometry.operations.crossings import TOUCHING, cut, glue
from dtpinn.geometry.operations.ends import Ends
from dtpinn.geometry.operations.parts import distinct_names
from dtpinn.geometry.spacing import SpacingLike


@dataclass(frozen=True)
class Combination(Domain):
    """Two domains of equal dimension, combined; see the three subclasses.

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

    Raises
    ------
    TypeError
        If one of the two is not a domain.
    ValueError
        If the dimensions differ, or nothing is left.
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

    @cached_property
    def _result(self) -> Domain:
        """The combination as a domain that knows its own boundary."""
        names = distinct_names(self.left.parts, self.right.parts)
        make = {1: self._on_the_line, 2: self._in_the_plane, 3: self._in_space}
        return make[self.dimension](names)

    def _on_the_line(self, names: tuple[str, ...]) -> Domain:
        kept = []
        for domain, other, sign, turn, first in self._sides():
            ends = domain.walk_boundary(0.5 * _size(domain))  # all ends, whatever the spacing
            distance = other.signed_distance(ends.points)
            along = np.sign(np.sum(ends.normals * other.normal(ends.points), axis=1))
            side = np.where(np.abs(distance) <= TOUCHING * self._size, 0.0, np.sign(distance))
            rows = self._bounds_the_result(side, along, sign, first == 0)
            kept.append((ends.points[rows], turn * ends.normals[rows], first + ends.part[rows]))
        points, normals, part = (np.concatenate(column) for column in zip(*kept, strict=True))
        self._check_something_left(len(points))
        return Ends(Boundary(points, normals, part, names).without(names))

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
        return Loops(glue(arcs, self._size), tuple(names[number] for number in used))

    def _in_space(self, names: tuple[str, ...]) -> Domain:
        result = Blend(self.left, self.right, self.signs, names)
        self._check_something_left(int((result.bounds[0] < result.bounds[1]).all()))
        return result

    def _sides(self) -> list[tuple[Domain, Domain, int, int, int]]:
        """Each domain with the other, the other's sign, its own sense, and its first part."""
        outer, first, second = self.signs
        return [
            (self.left, self.right, second, outer * first, 0),
            (self.right, self.left, first, outer * second, len(self.left.parts)),
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


@dataclass(frozen=True)
class Union(Combination):
    """What lies in one domain or in another: ``left | right``.

    Examples
    --------
    >>> from dtpinn.geometry import Disk, Rectangle
    >>> house = Rectangle((0, 0), (2, 1)) | Rectangle((0, 1), (1, 2))
    >>> house.signed_distance([[0.5, 1.0], [1.5, 1.5]])
    array([-0.5,  0.5])
    >>> house.parts
    ('left', 'right', 'bottom', 'top', 'left_2', 'right_2', 'top_2')
    """

    signs = (-1, -1, -1)


@dataclass(frozen=True)
class Intersection(Combination):
    """What lies in both of two domains: ``left & right``.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> lens = Disk() & Disk(1.0, (1.0, 0.0))
    >>> lens.signed_distance([[0.5, 0.0], [0.5, 1.0]]).round(3)
    array([-0.5  ,  0.134])
    >>> lens.parts
    ('circle', 'circle_2')
    """

    signs = (1, 1, 1)


@dataclass(frozen=True)
class Difference(Combination):
    """What lies in one domain and not in another: ``left - right``.

    Examples
    --------
    >>> from dtpinn.geometry import Disk, Rectangle
    >>> plate = Rectangle((-1, -1), (1, 1)) - Disk(0.5)
    >>> plate.signed_distance([[0.0, 0.0], [0.75, 0.0]])
    array([ 0.5 , -0.25])
    """

    signs = (1, 1, -1)
