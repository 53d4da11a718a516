"""Boundary curves in the plane: closed loops of smooth arcs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers

Along = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Arc:
    """A smooth piece of a boundary, with the domain on its left.

    Attributes
    ----------
    point
        Parameters (n,) -> points (n, 2).
    normal
        Parameters (n,) -> outward unit normals (n, 2). At an end it is the normal of this arc,
        whatever comes next.
    part
        Index of the part of the boundary that it belongs to.
    start, stop
        Parameters at its ends; an arc that was turned round has ``start > stop``.
    straight
        Whether it is a straight line.

    Examples
    --------
    >>> half = segment((0.0, 0.0), (2.0, 0.0)).between(0.5, 1.0)
    >>> half.at(np.array([0.0, 1.0]))
    array([[1., 0.],
           [2., 0.]])
    """

    point: Along
    normal: Along
    part: int = 0
    start: float = 0.0
    stop: float = 1.0
    straight: bool = False

    def at(self, share: Floats) -> Floats:
        """Points at ``share`` (n,) of the way in the parameter, 0 to 1; (n, 2)."""
        return self.point(self._parameter(share))

    def normal_at(self, share: Floats) -> Floats:
        """Outward unit normals at ``share`` (n,); (n, 2)."""
        return self.normal(self._parameter(share))

    def _parameter(self, share: Floats) -> Floats:
        # In this form the ends come out exactly.
        return (1.0 - share) * self.start + share * self.stop

    def between(self, first: float, last: float) -> Arc:
        """Return the piece between two shares of the way."""
        start, stop = self._parameter(np.array([first, last]))
        return replace(self, start=float(start), stop=float(stop))

    def turned(self) -> Arc:
        """Return the same arc as the boundary of what lies on its right."""
        return replace(self, normal=lambda t: -self.normal(t), start=self.stop, stop=self.start)

    def moved(self, points: Along, normals: Along) -> Arc:
        """Return the arc after a map of ``points`` and the one that it means for ``normals``."""
        point, normal = self.point, self.normal
        return replace(self, point=lambda t: points(point(t)), normal=lambda t: normals(normal(t)))


# A closed loop: every arc ends where the next one starts, the last one where the first does.
Curve = tuple[Arc, ...]


def segment(start: npt.ArrayLike, stop: npt.ArrayLike, part: int = 0) -> Arc:
    """Return the straight line between two points; the domain is on its left."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(stop, dtype=np.float64)
    along = b - a
    outward = np.array([along[1], -along[0]]) / math.hypot(*along)
    return Arc(
        lambda t: (1.0 - t)[:, None] * a + t[:, None] * b,
        lambda t: np.tile(outward, (len(t), 1)),
        part,
        straight=True,
    )


def ellipse(center: Sequence[float], semi_axes: Sequence[float], part: int = 0) -> Arc:
    """Return an ellipse, counter-clockwise from the right; the domain is inside."""
    middle, axes = np.asarray(center), np.asarray(semi_axes)

    def circle(t: Floats) -> Floats:
        return np.column_stack([np.cos(t), np.sin(t)])

    return Arc(
        lambda t: middle + axes * circle(t),
        lambda t: unit(circle(t) / axes),
        part,
        stop=2.0 * math.pi,
    )


def unit(vectors: Floats) -> Floats:
    """Return ``vectors`` (n, d), none of them zero, with length one."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def corner_normal(before: Floats, after: Floats) -> Floats:
    """Normals at corners, from those of the arcs ``before`` and ``after`` them; (n, 2) each.

    The normal at a corner is the normalised mean of the two. At the tip of a cusp they cancel, and
    the normal goes on in the direction in which the curve arrives.

    Examples
    --------
    >>> corner_normal(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).round(3)
    array([[0.707, 0.707]])
    """
    mean = before + after
    cusp = np.linalg.norm(mean, axis=1) < 1e-6
    mean[cusp] = np.column_stack([-before[cusp, 1], before[cusp, 0]])
    return unit(mean)


def points_on(arcs: Sequence[Arc], which: Integers, share: Floats) -> Floats:
    """Points at ``share`` (n,) of the arcs ``which`` (n,); (n, 2).

    Examples
    --------
    >>> arcs = [segment((0, 0), (1, 0)), segment((1, 0), (1, 1))]
    >>> points_on(arcs, np.array([1, 0]), np.array([0.5, 0.5]))
    array([[1. , 0.5],
           [0.5, 0. ]])
    """
    return _on_each(which, share, [arc.at for arc in arcs])


def normals_on(arcs: Sequence[Arc], which: Integers, share: Floats) -> Floats:
    """Outward unit normals at ``share`` (n,) of the arcs ``which`` (n,); (n, 2).

    Examples
    --------
    >>> arcs = [segment((0, 0), (1, 0)), segment((1, 0), (1, 1))]
    >>> normals_on(arcs, np.array([1, 0]), np.array([0.5, 0.5])) + 0.0
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    return _on_each(which, share, [arc.normal_at for arc in arcs])


def _on_each(which: Integers, share: Floats, functions: Sequence[Along]) -> Floats:
    """Each arc's function at its own shares, each asked once."""
    values = np.empty((len(which), 2))
    order = np.argsort(which, kind="stable")
    present, first = np.unique(which[order], return_index=True)
    for number, rows in zip(present, np.split(order, first)[1:], strict=True):
        values[rows] = functions[number](share[rows])
    return values
