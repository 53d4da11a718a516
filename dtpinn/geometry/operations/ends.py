"""A domain on the line, given by its ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.spacing import SpacingLike, as_spacing


@dataclass(frozen=True)
class Ends(Domain):
    """Intervals of the line, given by their ends.

    Parameters
    ----------
    boundary
        One point for each end.
    period
        Of a periodic domain; the ends are in the cell.

    Examples
    --------
    >>> two = Ends(Boundary([[0], [1], [3], [4]], [[-1], [1], [-1], [1]], [0, 1, 0, 1], ("a", "b")))
    >>> two.signed_distance([[0.25], [2.0], [5.0]])
    array([-0.25,  1.  ,  1.  ])
    """

    boundary: Boundary
    period: Cell = field(default_factory=lambda: Cell.open(1))

    @property
    def cell(self) -> Cell:
        """The period."""
        return self.period

    @property
    def dimension(self) -> int:
        """1."""
        return 1

    @property
    def bounds(self) -> Floats:
        """The first and the last end, (2, 1)."""
        points = self.boundary.points
        return self.period.box(np.array([points.min(axis=0), points.max(axis=0)]))

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts."""
        return self.boundary.names

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 1) to the nearest end, negative inside; (n,)."""
        at = as_points(points, 1)
        row = self._nearest(at)
        # Halfway between two ends both of them tell the same.
        way = self.period.difference(at, self.boundary.points[row])
        beyond = way * self.boundary.normals[row]
        return np.asarray(beyond[:, 0])

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Normals at the ends nearest to ``points`` (n, 1); (n, 1)."""
        return self.boundary.normals[self._nearest(as_points(points, 1))]

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Part of the end nearest to each of ``points`` (n, 1); (n,)."""
        return self.boundary.part[self._nearest(as_points(points, 1))]

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Return the ends, if ``spacing`` fits the domain."""
        as_spacing(spacing, self.bounds, self.period)(self.boundary.points)
        return self.boundary

    def _nearest(self, points: Floats) -> npt.NDArray[np.intp]:
        way = self.period.difference(points[:, None], self.boundary.points)
        return np.asarray(np.abs(way[..., 0]).argmin(axis=1))
