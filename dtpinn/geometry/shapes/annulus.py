"""The annulus."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
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
class Annulus(Planar):
    """What lies between two circles; their parts are ``"inner"`` and ``"outer"``.

    Parameters
    ----------
    inner, outer
        Radii, the inner one the smaller.
    center
        Two coordinates.

    Raises
    ------
    TypeError
        If a radius is not a number.
    ValueError
        If a radius is not positive, the inner one is not below the outer one, or ``center`` is not
        two finite numbers.

    Examples
    --------
    >>> ring = Annulus(1.0, 2.0)
    >>> ring.signed_distance([[0.0, 0.0], [1.5, 0.0], [0.0, 3.0]])
    array([ 1. , -0.5,  1. ])
    >>> ring.walk_boundary(0.1)
    Boundary(189 points in 2-D, parts inner, outer)
    """

    inner: float
    outer: float
    center: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inner", positive_length(self.inner, "inner"))
        object.__setattr__(self, "outer", positive_length(self.outer, "outer"))
        object.__setattr__(self, "center", as_vector(self.center, 2, "center"))
        if self.inner >= self.outer:
            raise ValueError(
                f"inner must be below outer; got inner={self.inner:g} and outer={self.outer:g}"
            )

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of the bounding square, (2, 2)."""
        return np.array(self.center) + self.outer * np.array([[-1.0, -1.0], [1.0, 1.0]])

    @property
    def parts(self) -> tuple[str, ...]:
        """``("inner", "outer")``."""
        return ("inner", "outer")

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the outer circle, then the inner one, clockwise."""
        inner = ellipse(self.center, (self.inner, self.inner), 0)
        outer = ellipse(self.center, (self.outer, self.outer), 1)
        return [(outer,), (inner.turned(),)]

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Return the product of what each circle has: the difference of squared radii to it."""
        # From 0 at the inner circle to 2 at the outer one.
        unit = 0.5 * (self.outer**2 - self.inner**2)
        share = (squared_distance(x, self.center) - self.inner**2) / unit
        factors = {"inner": share, "outer": 2.0 - share}
        return math.prod(factors[part] for part in parts)

    def level(self, x: Sequence[Values]) -> Values:
        """Return the product of both factors: outside only one of them is negative."""
        return self.vanishing(x, set(self.parts))

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 2) to the nearer circle, negative between; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 2).
        """
        offset = as_points(points, 2) - np.array(self.center)
        radius = np.hypot(offset[:, 0], offset[:, 1])
        return np.asarray(np.maximum(self.inner - radius, radius - self.outer))
