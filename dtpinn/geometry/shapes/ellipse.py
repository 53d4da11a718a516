"""The ellipse."""

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

# Newton's method needs about ten steps; an axis ratio of 1e6, some twenty.
STEPS = 60


@dataclass(frozen=True)
class Ellipse(Planar):
    """What lies inside an ellipse along the axes; its boundary has one part, ``"ellipse"``.

    Parameters
    ----------
    semi_axes
        Half the width and half the height, positive lengths.
    center
        Two coordinates.

    Raises
    ------
    ValueError
        If ``semi_axes`` is not two positive lengths, or ``center`` is not two finite numbers.

    Examples
    --------
    >>> egg = Ellipse((2.0, 1.0))
    >>> egg.signed_distance([[0.0, 0.0], [3.0, 0.0]])
    array([-1.,  1.])
    >>> egg.walk_boundary(0.1)
    Boundary(97 points in 2-D, parts ellipse)
    """

    semi_axes: tuple[float, float]
    center: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        axes = as_vector(self.semi_axes, 2, "semi_axes")
        for number, length in enumerate(axes):
            positive_length(length, f"semi_axes[{number}]")
        object.__setattr__(self, "semi_axes", axes)
        object.__setattr__(self, "center", as_vector(self.center, 2, "center"))

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of the bounding box, (2, 2)."""
        reach = np.array(self.semi_axes)
        return np.asarray(np.array(self.center) + np.stack([-reach, reach]))

    @property
    def parts(self) -> tuple[str, ...]:
        """``("ellipse",)``."""
        return ("ellipse",)

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the ellipse, from the right."""
        return [(ellipse(self.center, self.semi_axes),)]

    def level(self, x: Sequence[Values]) -> Values:
        """Return 1 minus the sum of squares of the coordinates in semi-axes."""
        return 1.0 - squared_distance(x, self.center, self.semi_axes)

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 2) to the ellipse, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 2).
        """
        axes = np.array(self.semi_axes)
        # By symmetry in the first quadrant, the longer axis first.
        order = np.argsort(-axes, kind="stable")
        at = np.abs(as_points(points, 2) - np.array(self.center))[:, order]
        offset = at - _foot(at, axes[order])
        outside = np.hypot(at[:, 0] / axes[order[0]], at[:, 1] / axes[order[1]]) >= 1.0
        return np.asarray(np.where(outside, 1.0, -1.0) * np.hypot(offset[:, 0], offset[:, 1]))


def _foot(at: Floats, axes: Floats) -> Floats:
    """Points of the ellipse nearest to those of the first quadrant, ``axes[0] >= axes[1]``; (n, 2).

    The foot x of y satisfies ``y - x = t (x / axes^2)``, so ``x = axes^2 y / (t + axes^2)``, and t
    is the largest root of ``|axes y / (t + axes^2)|^2 = 1``. The left side is convex and falls
    towards that root, so Newton's method from the left arrives without ever passing it. The start
    is where one of the two terms alone is 1. Lengths are divided by the shorter axis, b.
    """
    a = axes[0] / axes[1]
    x, y = (at / axes[1]).T
    # On the longer axis, between the centres of curvature, t + b^2 = 0 and the foot is 0 / 0. A
    # height far below round-off moves the foot by as little.
    y = np.maximum(y, 1e-200)
    gap = (a - 1.0) * (a + 1.0)
    shift = np.maximum(a * x - gap, y)  # t + b^2, which may be far below the round-off of t
    for _ in range(STEPS):
        p, q = a * x / (shift + gap), y / shift
        slope = p**2 / (shift + gap) + q**2 / shift
        step = np.maximum(0.5 * (p**2 + q**2 - 1.0) / slope, 0.0)
        shift = shift + step
        if not (step > 4e-16 * shift).any():
            break
    return np.asarray(axes[1] * np.column_stack([a**2 * x / (shift + gap), y / shift]))
