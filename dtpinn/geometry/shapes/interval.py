"""The interval."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.parameters import as_corners, as_flags
from dtpinn.geometry.r_functions import Values, slab
from dtpinn.geometry.spacing import SpacingLike, as_spacing


@dataclass(frozen=True)
class Interval(Domain):
    """An interval of the line; its ends are the parts ``"left"`` and ``"right"``.

    Parameters
    ----------
    start, stop
        Finite numbers, the first below the second.
    periodic
        Whether its ends are glued to each other: then there are no parts.

    Raises
    ------
    ValueError
        If they are not.

    Examples
    --------
    >>> unit = Interval(0.0, 1.0)
    >>> unit.signed_distance([[0.25], [3.0]])
    array([-0.25,  2.  ])
    >>> unit.walk_boundary(0.1)
    Boundary(2 points in 1-D, parts left, right)
    """

    start: float = 0.0
    stop: float = 1.0
    periodic: bool = False

    def __post_init__(self) -> None:
        (start,), (stop,) = as_corners([self.start], [self.stop], 1)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)
        (periodic,) = as_flags(self.periodic, 1, "periodic")
        object.__setattr__(self, "periodic", periodic)

    @property
    def dimension(self) -> int:
        """1."""
        return 1

    @property
    def bounds(self) -> Floats:
        """The ends, (2, 1)."""
        return np.array([[self.start], [self.stop]])

    @property
    def parts(self) -> tuple[str, ...]:
        """``("left", "right")``; none of a periodic interval."""
        return () if self.periodic else ("left", "right")

    @property
    def cell(self) -> Cell:
        """The interval itself, if it is periodic."""
        return Cell.of_box([self.start], [self.stop], [self.periodic])

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 1) to the nearer end, negative inside; exact; (n,).

        A periodic interval has no end, and all points lie inside at a distance of -inf.

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 1).
        """
        x = as_points(points, 1)[:, 0]
        if self.periodic:
            return np.full(len(x), -np.inf)
        return np.asarray(np.maximum(self.start - x, x - self.stop))

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Return the product of lines that vanish at the ends asked for."""
        below, above = slab(x[0], self.start, self.stop)
        return math.prod({"left": below, "right": above}[part] for part in parts)

    def level(self, x: Sequence[Values]) -> Values:
        """Return the product of both lines."""
        return self.vanishing(x, set(self.parts))

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """0 where the left end is nearer, 1 where the right one is; (n,)."""
        x = as_points(points, 1)[:, 0]
        return (self.stop - x < x - self.start).astype(np.int64)

    def normal(self, points: npt.ArrayLike) -> Floats:
        """-1 where the left end is nearer, 1 where the right one is; 0 without ends; (n, 1)."""
        normals = np.where(self.nearest_part(points)[:, None] == 1, 1.0, -1.0)
        return np.zeros_like(normals) if self.periodic else normals

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Return the two ends, if it has any.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the interval.
        """
        as_spacing(spacing, self.bounds)(self.bounds)
        if self.periodic:
            return Boundary.none(1)
        return Boundary(self.bounds, np.array([[-1.0], [1.0]]), np.array([0, 1]), self.parts)
