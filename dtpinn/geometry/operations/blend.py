"""Set operations in space, where the boundary is known by the two distances only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.arc import unit
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.spacing import SpacingLike
from dtpinn.geometry.surfaces.sampling import sample_surface
from dtpinn.geometry.surfaces.surface_walk import walk_surface

# Where the two distances agree to within this share of the size, both boundaries meet.
CREASE = 1e-7
# In sizes: the spacing at which the surface is searched for parts that are gone.
GRAIN = 1.0 / 32
# Length of the sum of two unit normals that are opposite to round-off.
CANCELLED = 1e-6


@dataclass(frozen=True)
class Blend(Domain):
    """The domain with signed distance ``outer * max(first * left, second * right)``.

    Parameters
    ----------
    left, right
        Two domains, of one period if any.
    signs
        ``(outer, first, second)``, each 1 or -1: (-1, -1, -1) is the union, (1, 1, 1) the
        intersection, (1, 1, -1) the difference.
    names
        Names: those of the left domain, then those of the right one.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> two = Blend(Disk(), Disk(1.0, (1.0, 0.0)), (1, 1, 1), ("circle", "circle_2"))
    >>> two.signed_distance([[0.5, 0.0], [-0.5, 0.0]])
    array([-0.5,  0.5])
    >>> two.nearest_part([[1.0, 0.0], [0.0, 0.0]])
    array([0, 1])
    """

    left: Domain
    right: Domain
    signs: tuple[int, int, int]
    names: tuple[str, ...]

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return self.left.dimension

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of a box that holds the domain, (2, d)."""
        left, right = self.left.bounds, self.right.bounds
        if self.signs[0] < 0:
            both = np.array([np.minimum(left[0], right[0]), np.maximum(left[1], right[1])])
        elif self.signs[2] < 0:
            both = left
        else:
            both = np.array([np.maximum(left[0], right[0]), np.minimum(left[1], right[1])])
        return self.cell.box(both)

    @property
    def cell(self) -> Cell:
        """That of the two."""
        return self.left.cell

    @property
    def parts(self) -> tuple[str, ...]:
        """The names."""
        return self.names

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Minimum or maximum of the distances, at most the distance to the boundary; (n,)."""
        return self.signs[0] * np.maximum(*self._turned(points))

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at ``points`` (n, d) of the boundary; (n, d).

        On the crease where the boundaries of the two domains meet it is the normalised mean.

        Raises
        ------
        ValueError
            Where the two normals cancel: the boundaries coincide, and this is no boundary.
        """
        outer, first, second = self.signs
        left, right = self._turned(points)
        normals = np.zeros((len(left), self.dimension))
        at = np.asarray(points, dtype=np.float64)
        near = CREASE * float(np.max(self.bounds[1] - self.bounds[0]))
        for rows, domain, sign in (
            (left >= right - near, self.left, first),
            (right >= left - near, self.right, second),
        ):
            normals[rows] += outer * sign * domain.normal(at[rows])
        self._check_no_sheet(at, normals)
        return unit(normals)

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Part of the domain whose boundary it is; of the left one on a crease; (n,)."""
        left, right = self._turned(points)
        second = self.right.nearest_part(points) + len(self.left.parts)
        return np.where(left >= right, self.left.nearest_part(points), second)

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points on the surface; see :func:`~dtpinn.geometry.surfaces.surface_walk.walk_surface`.

        A part of which nothing is left is not named.
        """
        walk = walk_surface(self, spacing)
        if len(np.unique(walk.sides.part)) == len(self.names):
            return walk
        return walk.without(name for i, name in enumerate(self.names) if i not in self._there)

    @cached_property
    def _there(self) -> set[int]:
        """Numbers of the parts of which something is left, whatever the spacing of a walk."""
        size = GRAIN * float(np.max(np.ptp(self.bounds, axis=0)))
        rng = np.random.default_rng(0)
        sample = sample_surface(self, lambda points: np.full(len(points), size), rng)
        return set(self.nearest_part(sample).tolist())

    def _check_no_sheet(self, points: Floats, normals: Floats) -> None:
        bad = np.flatnonzero(np.linalg.norm(normals, axis=1) <= CANCELLED)
        if bad.size:
            raise ValueError(
                f"the boundaries of {self.left!r} and {self.right!r} coincide, as at "
                f"{points[bad[0]]}, where the signed distance of the result would be 0 without a "
                "boundary. In space let a domain that is joined overlap the other, and one that "
                "is cut out reach beyond it"
            )

    def _turned(self, points: npt.ArrayLike) -> tuple[Floats, Floats]:
        _, first, second = self.signs
        left, right = self.left.signed_distance(points), self.right.signed_distance(points)
        return first * left, second * right
