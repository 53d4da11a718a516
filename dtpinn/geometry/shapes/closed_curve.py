"""Domains inside a closed parametric curve."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from dtpinn.arrays import Floats
from dtpinn.checks import as_floats, check_finite
from dtpinn.geometry.arc import Arc, Curve, unit
from dtpinn.geometry.curves.planar import Planar

# Between the points by which a tangent is found, in the parameter: five points, so that the error
# is its fourth power times a fifth derivative, and round-off over it.
STEP = 1e-4
STENCIL = np.arange(-2.0, 3.0)
# Samples, between corners, by which the curve is checked.
SAMPLES = 2048
# A curve that jumps by more than this share of its size does not close.
JUMP = 1e-6


@dataclass(frozen=True)
class ClosedCurve(Planar):
    """What lies inside a closed curve; its boundary has one part, ``"curve"``.

    The curve may run in either sense; the walk goes counter-clockwise from t = 0, or from the
    first corner.

    Parameters
    ----------
    function
        Parameters (n,) from 0 to 1, 1 excluded -> points (n, 2). Smooth between the corners, and
        never at rest.
    corners
        Parameters from 0 to 1, 1 excluded, where the direction jumps.

    Raises
    ------
    TypeError
        If ``function`` is not callable.
    ValueError
        If it returns anything else than one finite point per parameter, does not close, or crosses
        itself; or if ``corners`` are not different parameters from 0 to 1.

    Examples
    --------
    >>> def petals(t):
    ...     angle = 2.0 * np.pi * t
    ...     radius = 1.0 + 0.3 * np.cos(5.0 * angle)
    ...     return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    >>> flower = ClosedCurve(petals)
    >>> flower.signed_distance([[0.0, 0.0], [2.0, 0.0]]).round(6)
    array([-0.7,  0.7])
    >>> flower.walk_boundary(0.1)
    Boundary(90 points in 2-D, parts curve)
    """

    function: Callable[[Floats], npt.ArrayLike]
    corners: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(
                "function must be a curve, parameters (n,) -> points (n, 2); "
                f"got {type(self.function).__name__}"
            )
        corners = as_floats(self.corners, "corners", "parameters from 0 to 1")
        if corners.ndim != 1 or not ((corners >= 0.0) & (corners < 1.0)).all():
            raise ValueError(
                f"corners must be parameters from 0 to 1, 1 excluded; got {self.corners}"
            )
        if len(np.unique(corners)) != len(corners):
            raise ValueError(f"corners must differ; got {self.corners}")
        object.__setattr__(self, "corners", tuple(sorted(corners.tolist())))
        self._check_closed()
        self._check_simple()

    @property
    def parts(self) -> tuple[str, ...]:
        """``("curve",)``."""
        return ("curve",)

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the arcs between the corners."""
        arcs = [self._arc(start, stop) for start, stop in self._pieces()]
        if not shapely.LinearRing(self._samples()).is_ccw:
            arcs = [arc.turned() for arc in reversed(arcs)]
        return [tuple(arcs)]

    def _pieces(self) -> Iterator[tuple[float, float]]:
        """Parameters from corner to corner, once round."""
        cuts = self.corners or (0.0,)
        return zip(cuts, (*cuts[1:], cuts[0] + 1.0), strict=True)

    def _arc(self, start: float, stop: float) -> Arc:
        step = min(STEP, (stop - start) / 16.0)

        def normal(t: Floats) -> Floats:
            # At a corner the points all lie on this side of it; else on both sides of t.
            low, high = (start, stop) if self.corners else (-np.inf, np.inf)
            middle = np.clip(t, low + 2.0 * step, high - 2.0 * step)
            at = (middle[:, None] + step * STENCIL).ravel()
            points = self._point(at).reshape(len(t), len(STENCIL), 2)
            tangent = np.einsum("nk,nki->ni", _slopes((t - middle) / step), points)
            return unit(np.column_stack([tangent[:, 1], -tangent[:, 0]]))

        return Arc(self._point, normal, 0, start, stop)

    def _point(self, t: Floats) -> Floats:
        """Points at any parameters, once round the curve for each unit; (n, 2)."""
        points = as_floats(self.function(t % 1.0), "what function returns", "points, shape (n, 2)")
        if points.shape != (len(t), 2):
            raise ValueError(
                f"what function returns must be one point per parameter, shape ({len(t)}, 2); "
                f"got shape {points.shape}"
            )
        check_finite(points, "what function returns")
        return points

    def _samples(self) -> Floats:
        """Points round the curve, close together, the corners among them."""
        pieces = [np.linspace(*ends, SAMPLES, endpoint=False) for ends in self._pieces()]
        return self._point(np.concatenate(pieces))

    def _check_closed(self) -> None:
        first, last = self._point(np.array([0.0, np.nextafter(1.0, 0.0)]))
        size = float(np.ptp(self._samples(), axis=0).max())
        if not np.hypot(*(last - first)) <= JUMP * size:
            raise ValueError(
                f"the curve must close; at t = 0 it starts from {first}, and it arrives at {last}"
            )

    def _check_simple(self) -> None:
        polygon = shapely.Polygon(self._samples())
        if not polygon.is_valid:
            where = shapely.is_valid_reason(polygon).rstrip("]").partition("[")[2].split()
            raise ValueError(
                "the curve must not cross itself, and must go round once; it meets itself near the "
                f"point ({float(where[0]):.6g}, {float(where[1]):.6g})"
            )


def _slopes(at: Floats) -> Floats:
    """Weights of the derivative at ``at`` (n,) of the quartic through values on STENCIL; (n, 5)."""
    powers = np.arange(1, len(STENCIL))
    derivative = np.column_stack([np.zeros(len(at)), *(k * at ** (k - 1) for k in powers)])
    return np.asarray(np.linalg.solve(np.vander(STENCIL, increasing=True).T, derivative.T).T)
