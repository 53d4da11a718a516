"""The torus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.checks import as_points, positive_length
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.parameters import as_vector
from dtpinn.geometry.r_functions import Values, norm
from dtpinn.geometry.spacing import SpacingLike
from dtpinn.geometry.surfaces.surface_walk import walk_surface


@dataclass(frozen=True)
class Torus(Domain):
    """A ring about the z direction; its boundary has one part, ``"torus"``.

    Parameters
    ----------
    major
        Radius of the circle in the middle of the tube.
    minor
        Radius of the tube, smaller than ``major``.
    center
        Three coordinates.

    Raises
    ------
    TypeError
        If a radius is not a number.
    ValueError
        If a radius is not positive, the tube closes the hole, or ``center`` is not three finite
        numbers.

    Examples
    --------
    >>> torus = Torus(major=2.0, minor=0.5)
    >>> torus.signed_distance([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    array([-0.5,  1.5])
    """

    major: float = 1.0
    minor: float = 0.4
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        major, minor = positive_length(self.major, "major"), positive_length(self.minor, "minor")
        if minor >= major:
            raise ValueError(
                f"minor must be smaller than major, or the torus has no hole; got minor={minor:g} "
                f"and major={major:g}"
            )
        object.__setattr__(self, "major", major)
        object.__setattr__(self, "minor", minor)
        object.__setattr__(self, "center", as_vector(self.center, 3, "center"))

    @property
    def dimension(self) -> int:
        """3."""
        return 3

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of the bounding box, (2, 3)."""
        reach = np.array([self.major + self.minor, self.major + self.minor, self.minor])
        return np.asarray(np.array(self.center) + np.array([-reach, reach]))

    @property
    def parts(self) -> tuple[str, ...]:
        """``("torus",)``."""
        return ("torus",)

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 3) to the surface, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 3).
        """
        return np.asarray(np.linalg.norm(self._from_tube(points), axis=1) - self.minor)

    def level(self, x: Sequence[Values]) -> Values:
        """Return 1 minus the squared distance to the middle of the tube, in radii of the tube."""
        along, across, up = (x[axis] - self.center[axis] for axis in range(3))
        beside = norm(along, across) - self.major
        return 1.0 - (beside * beside + up * up) / self.minor**2

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Unit vectors away from the middle of the tube, (n, 3); upwards in the middle itself."""
        offset = self._from_tube(points)
        length = np.linalg.norm(offset, axis=1, keepdims=True)
        way = np.where(length > 0.0, offset, (0.0, 0.0, 1.0))
        return np.asarray(way / np.where(length > 0.0, length, 1.0))

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Quasi-uniform points on the torus.

        See :func:`~dtpinn.geometry.surfaces.surface_walk.walk_surface` for where they lie.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the torus.
        """
        return walk_surface(self, spacing)

    def _from_tube(self, points: npt.ArrayLike) -> Floats:
        """From the nearest point of the circle in the middle of the tube, (n, 3)."""
        offset = as_points(points, 3) - np.array(self.center)
        radius = np.hypot(offset[:, 0], offset[:, 1])
        # On the axis all points of the circle are as near; take the one towards x.
        outward = np.column_stack([np.where(radius > 0.0, offset[:, 0], 1.0), offset[:, 1]])
        outward /= np.where(radius > 0.0, radius, 1.0)[:, None]
        return np.column_stack([(radius - self.major)[:, None] * outward, offset[:, 2]])
