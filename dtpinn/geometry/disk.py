"""The disk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.checks import as_floats, as_points, fitting_spacing, positive_length
from dtpinn.geometry.domain import Domain


@dataclass(frozen=True)
class Disk(Domain):
    """A disk in the plane; its boundary has one part, ``"circle"``.

    Parameters
    ----------
    radius
        Positive length.
    center
        Two coordinates.

    Raises
    ------
    TypeError
        If ``radius`` is not a number.
    ValueError
        If ``radius`` is not positive, or ``center`` is not two finite numbers.

    Examples
    --------
    >>> disk = Disk(radius=2.0, center=(1.0, 0.0))
    >>> disk.signed_distance([[1.0, 0.0], [4.0, 0.0]])
    array([-2.,  1.])
    >>> disk.walk_boundary(0.1)
    Boundary(126 points in 2-D, parts circle)
    """

    radius: float = 1.0
    center: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        center = as_floats(self.center, "center", "two finite numbers (x, y)")
        if center.shape != (2,) or not np.isfinite(center).all():
            raise ValueError(f"center must be two finite numbers (x, y); got {self.center}")
        object.__setattr__(self, "radius", positive_length(self.radius, "radius"))
        object.__setattr__(self, "center", (float(center[0]), float(center[1])))

    @property
    def dimension(self) -> int:
        """2."""
        return 2

    @property
    def bounds(self) -> npt.NDArray[np.float64]:
        """Lower and upper corner of the bounding square, (2, 2)."""
        return np.array(self.center) + self.radius * np.array([[-1.0, -1.0], [1.0, 1.0]])

    @property
    def parts(self) -> tuple[str, ...]:
        """``("circle",)``."""
        return ("circle",)

    def signed_distance(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Distance of ``points`` (n, 2) to the circle, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 2).
        """
        offset = as_points(points, 2) - np.array(self.center)
        return np.asarray(np.hypot(offset[:, 0], offset[:, 1]) - self.radius)

    def walk_boundary(self, spacing: float) -> Boundary:
        """Points on the circle, counter-clockwise from the right, equispaced in arc length.

        The step is the one nearest to ``spacing`` of which a whole number closes the circle, so
        it differs from ``spacing`` by a share of at most ``spacing / (4 radius)``.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the diameter.
        """
        step = fitting_spacing(spacing, self.bounds)
        count = round(2.0 * math.pi * self.radius / step)
        angle = 2.0 * math.pi / count * np.arange(count)
        normals = np.column_stack([np.cos(angle), np.sin(angle)])
        points = np.array(self.center) + self.radius * normals
        return Boundary(points, normals, np.zeros(count, dtype=np.int64), self.parts)
