"""The disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.checks import as_points, positive_length
from dtpinn.geometry.arc import Curve, ellipse
from dtpinn.geometry.curves.planar import Planar
from dtpinn.geometry.parameters import as_vector
from dtpinn.geometry.r_functions import Values, squared_distance


@dataclass(frozen=True)
class Disk(Planar):
    """A disk in the plane; its boundary has one part, ``"circle"``.

    The walk goes counter-clockwise from the right, in equal steps.

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
        object.__setattr__(self, "radius", positive_length(self.radius, "radius"))
        object.__setattr__(self, "center", as_vector(self.center, 2, "center"))

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of the bounding square, (2, 2)."""
        return np.array(self.center) + self.radius * np.array([[-1.0, -1.0], [1.0, 1.0]])

    @property
    def parts(self) -> tuple[str, ...]:
        """``("circle",)``."""
        return ("circle",)

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the circle, from the right."""
        return [(ellipse(self.center, (self.radius, self.radius)),)]

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 2) to the circle, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 2).
        """
        offset = as_points(points, 2) - np.array(self.center)
        return np.asarray(np.hypot(offset[:, 0], offset[:, 1]) - self.radius)

    def level(self, x: Sequence[Values]) -> Values:
        """Return ``1 - |x - center|^2 / radius^2``."""
        return 1.0 - squared_distance(x, self.center) / self.radius**2

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Directions from the centre to ``points`` (n, 2), zero at the centre itself; (n, 2)."""
        offset = as_points(points, 2) - np.array(self.center)
        radius = np.hypot(offset[:, 0], offset[:, 1])[:, None]
        return np.asarray(offset / np.where(radius > 0.0, radius, 1.0))
