"""Domains moved, turned and scaled."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points, positive_length
from dtpinn.geometry.arc import Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.parameters import as_vector
from dtpinn.geometry.r_functions import Values
from dtpinn.geometry.spacing import SpacingLike

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Transformed(Domain):
    """A domain after ``x -> factor * rotation x + offset``.

    Parameters
    ----------
    domain
        Any domain.
    rotation
        (d, d), orthogonal, of determinant 1.
    offset
        (d,)
    factor
        Positive.

    Examples
    --------
    >>> from dtpinn.geometry import Rectangle
    >>> diamond = Rectangle((-1, -1), (1, 1)).rotate(np.pi / 4).translate((5.0, 0.0))
    >>> diamond.signed_distance([[5.0, 0.0], [7.0, 0.0]]).round(3)
    array([-1.   ,  0.586])
    """

    domain: Domain
    rotation: Matrix
    offset: tuple[float, ...]
    factor: float = 1.0

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return self.domain.dimension

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of a box that holds the turned bounding box, (2, d)."""
        low, high = self.domain.bounds
        middle, half = self._forth(0.5 * (low + high)[None]), 0.5 * (high - low)
        reach = self.factor * np.abs(np.array(self.rotation)) @ half
        return self.cell.box(np.concatenate([middle - reach, middle + reach]))

    @property
    def cell(self) -> Cell:
        """That of the domain, elsewhere; a periodic domain is not turned."""
        cell = self.domain.cell
        moved = self.factor * np.array(cell.lower) + np.array(self.offset)
        return Cell(tuple(moved.tolist()), tuple(self.factor * p for p in cell.periods))

    @property
    def parts(self) -> tuple[str, ...]:
        """Those of the domain."""
        return self.domain.parts

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, d) to the boundary, negative inside; (n,)."""
        return self.factor * self.domain.signed_distance(self._back(points))

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at ``points`` (n, d) of the boundary; (n, d)."""
        return self._turn(self.domain.normal(self._back(points)))

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index in ``parts`` for each of ``points`` (n, d) of the boundary; (n,)."""
        return self.domain.nearest_part(self._back(points))

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """The domain's own, at points moved back."""
        return self.domain.vanishing(self._coordinates_back(x), parts)

    def level(self, x: Sequence[Values]) -> Values:
        """The domain's own, at points moved back."""
        return self.domain.level(self._coordinates_back(x))

    def _coordinates_back(self, x: Sequence[Values]) -> list[Values]:
        offset = [a - o for a, o in zip(x, self.offset, strict=True)]
        return [
            sum(r * a for r, a in zip(column, offset, strict=True)) / self.factor
            for column in zip(*self.rotation, strict=True)
        ]

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the domain's curves, transformed."""
        return [
            tuple(arc.moved(self._forth, self._turn) for arc in curve)
            for curve in self.domain.boundary_curves()
        ]

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points of the domain's own walk, transformed."""
        if callable(spacing):
            function = spacing
            walk = self.domain.walk_boundary(
                lambda points: np.asarray(function(self._forth(points))) / self.factor
            )
        else:
            walk = self.domain.walk_boundary(positive_length(spacing, "spacing") / self.factor)
        points, normals = self._forth(walk.points), self._turn(walk.normals)
        sides = replace(walk.sides, normals=self._turn(walk.sides.normals))
        return Boundary(points, normals, walk.part, walk.names, sides)

    def _forth(self, points: Floats) -> Floats:
        return np.asarray(self.factor * self._turn(points) + np.array(self.offset))

    def _back(self, points: npt.ArrayLike) -> Floats:
        at = as_points(points, self.dimension)
        return np.asarray((at - np.array(self.offset)) @ np.array(self.rotation)) / self.factor

    def _turn(self, vectors: Floats) -> Floats:
        return np.asarray(vectors @ np.array(self.rotation).T)


def translated(domain: Domain, offset: npt.ArrayLike) -> Transformed:
    """Return ``domain`` moved by ``offset`` (d,)."""
    identity = np.eye(domain.dimension)
    return Transformed(domain, _rows(identity), as_vector(offset, domain.dimension, "offset"))


def rotated(
    domain: Domain, angle: float, axis: npt.ArrayLike | None, center: npt.ArrayLike | None
) -> Transformed:
    """Return ``domain`` turned by ``angle`` about ``center``, in space about ``axis``.

    Raises
    ------
    ValueError
        On the line, or of a periodic domain; in space if ``axis`` is not a direction, in the plane
        if there is one.
    """
    (turn,) = as_vector([angle], 1, "angle")
    dimension = domain.dimension
    if dimension == 1:
        raise ValueError("a domain on the line cannot be rotated; use scale or translate")
    if domain.cell.periodic:
        raise ValueError(
            f"{domain!r} is periodic along the axes and cannot be rotated; rotate what is cut out "
            "of it, or joined to it, before"
        )
    if (axis is None) == (dimension == 3):
        raise ValueError(
            f"axis must be {'given in 3-D' if dimension == 3 else 'left out in 2-D'}; got {axis!r}"
        )
    direction = (0.0, 0.0, 1.0) if axis is None else as_vector(axis, 3, "axis")
    rotation = _rotation(turn, direction)[:dimension, :dimension]
    middle = _center(center, dimension)
    return Transformed(domain, _rows(rotation), tuple((middle - rotation @ middle).tolist()))


def scaled(domain: Domain, factor: float, center: npt.ArrayLike | None) -> Transformed:
    """Return ``domain`` scaled by ``factor`` as seen from ``center``."""
    dimension = domain.dimension
    scale = positive_length(factor, "factor")
    offset = (1.0 - scale) * _center(center, dimension)
    return Transformed(domain, _rows(np.eye(dimension)), tuple(offset.tolist()), scale)


def _center(center: npt.ArrayLike | None, dimension: int) -> Floats:
    return (
        np.zeros(dimension) if center is None else np.array(as_vector(center, dimension, "center"))
    )


def _rotation(angle: float, axis: Sequence[float]) -> Floats:
    """Matrix of the rotation about ``axis``, by Rodrigues' formula, (3, 3)."""
    length = math.hypot(*axis)
    if length == 0.0:
        raise ValueError(f"axis must be a direction, three numbers that are not all 0; got {axis}")
    x, y, z = (number / length for number in axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turned = math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross
    return np.asarray(np.eye(3) + turned)


def _rows(matrix: Floats) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())
