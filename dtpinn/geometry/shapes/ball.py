"""The ball."""

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
from dtpinn.geometry.r_functions import Values, squared_distance
from dtpinn.geometry.spacing import SpacingLike
from dtpinn.geometry.surfaces.surface_walk import walk_surface


@dataclass(frozen=True)
class Ball(Domain):
    """A ball in space; its boundary has one part, ``"sphere"``.

    Parameters
    ----------
    radius
        Positive length.
    center
        Three coordinates.

    Raises
    ------
    TypeError
        If ``radius`` is not a number.
    ValueError
        If ``radius`` is not positive, or ``center`` is not three finite numbers.

    Examples
    --------
    >>> ball = Ball(radius=2.0, center=(1.0, 0.0, 0.0))
    >>> ball.signed_distance([[1.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
    array([-2.,  1.])
    """

    radius: float = 1.0
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", positive_length(self.radius, "radius"))
        object.__setattr__(self, "center", as_vector(self.center, 3, "center"))

    @property
    def dimension(self) -> int:
        """3."""
        return 3

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of the bounding cube, (2, 3)."""
        return np.array(self.center) + self.radius * np.array([[-1.0] * 3, [1.0] * 3])

    @property
    def parts(self) -> tuple[str, ...]:
        """``("sphere",)``."""
        return ("sphere",)

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 3) to the sphere, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 3).
        """
        offset = as_points(points, 3) - np.array(self.center)
        return np.asarray(np.linalg.norm(offset, axis=1) - self.radius)

    def level(self, x: Sequence[Values]) -> Values:
        """Return ``1 - |x - center|^2 / radius^2``."""
        return 1.0 - squared_distance(x, self.center) / self.radius**2

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Unit vectors away from the centre, (n, 3); along x at the centre itself."""
        offset = as_points(points, 3) - np.array(self.center)
        length = np.linalg.norm(offset, axis=1, keepdims=True)
        return np.where(length > 0.0, offset, (1.0, 0.0, 0.0)) / np.where(length > 0.0, length, 1.0)

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Quasi-uniform points on the sphere.

        See :func:`~dtpinn.geometry.surfaces.surface_walk.walk_surface` for where they lie.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the diameter.
        """
        return walk_surface(self, spacing)
