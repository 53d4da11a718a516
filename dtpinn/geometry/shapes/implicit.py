"""Domains given by any signed distance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.checks import as_floats, as_points, check_finite
from dtpinn.geometry.arc import Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.curves.loops import Loops
from dtpinn.geometry.curves.tracing import trace
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.spacing import SpacingLike
from dtpinn.geometry.surfaces.surface_walk import walk_surface

# Pairs of points on which the slope is tried, and how far above one it may seem.
PAIRS = 4000
ROUND_OFF = 1e-6


@dataclass(frozen=True)
class Implicit(Domain):
    """The domain in which a function is negative; its boundary has one part, ``"boundary"``.

    In the plane the zero level is traced on a grid of 512 cells along the longest side: pieces
    smaller than a cell are not seen, and corners are kept where the normal turns by 20 degrees or
    more. Other parts come from :meth:`Domain.with_parts`.

    Parameters
    ----------
    function
        points (n, d) -> (n,), negative inside; 1-Lipschitz. Near the boundary it should be close
        to the distance: nodes keep away from the boundary by its value.
    box
        (2, d), lower and upper corner of a box that holds the domain.

    Raises
    ------
    TypeError
        If ``function`` is not callable.
    ValueError
        If ``box`` is none, or the function returns anything else than one number per point, or
        changes by more than the distance walked. Later, in the plane, if there is no zero level in
        the box, or it leaves the box.

    Examples
    --------
    >>> stadium = Implicit(
    ...     lambda x: np.hypot(np.maximum(np.abs(x[:, 0]) - 1.0, 0.0), x[:, 1]) - 0.5,
    ...     [[-1.5, -0.5], [1.5, 0.5]],
    ... )
    >>> stadium.walk_boundary(0.1)
    Boundary(71 points in 2-D, parts boundary)
    """

    function: Callable[[Floats], npt.ArrayLike]
    box: npt.ArrayLike

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(
                "function must be a signed distance, points (n, d) -> (n,); "
                f"got {type(self.function).__name__}"
            )
        box = as_points(self.box, name="box")
        check_finite(box, "box")
        if len(box) != 2 or not (box[0] < box[1]).all():
            raise ValueError(
                f"box must be a lower and an upper corner, (2, d), the lower one below in every "
                f"coordinate; got {box.tolist()}"
            )
        object.__setattr__(self, "box", tuple(map(tuple, box.tolist())))
        self._check_slope()

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return int(self.bounds.shape[1])

    @property
    def bounds(self) -> Floats:
        """The box, (2, d)."""
        return np.array(self.box)

    @property
    def parts(self) -> tuple[str, ...]:
        """``("boundary",)``."""
        return ("boundary",)

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Return the function's values at ``points`` (n, d); (n,).

        Raises
        ------
        ValueError
            If it does not return one number per point.
        """
        at = as_points(points, self.dimension)
        expected = f"one number per point, shape ({len(at)},)"
        values = as_floats(self.function(at), "what function returns", expected)
        if values.shape != (len(at),):
            raise ValueError(f"what function returns must be {expected}; got shape {values.shape}")
        return values

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at ``points`` (n, d) of the boundary; (n, d).

        In the plane, at a corner, the normalised mean of the normals on its two sides.
        """
        return self._loops.normal(points) if self.dimension == 2 else super().normal(points)

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the traced zero level, in the plane."""
        return self._loops.curves if self.dimension == 2 else super().boundary_curves()

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points on the zero level; in the plane corners are nodes, in space those on creases.

        Raises
        ------
        NotImplementedError
            On the line, where :class:`~dtpinn.geometry.Interval` and its unions do it.
        """
        if self.dimension == 1:
            raise NotImplementedError("Implicit is for d = 2 and 3; on the line use Interval")
        if self.dimension == 2:
            return self._loops.walk_boundary(spacing)
        return walk_surface(self, spacing)

    @cached_property
    def _loops(self) -> Loops:
        return Loops(trace(self), self.parts)

    def _check_slope(self) -> None:
        """Try the function on random pairs of points in the box, far apart and close."""
        rng = np.random.default_rng(0)
        low, high = self.bounds
        first = rng.uniform(low, high, (PAIRS, self.dimension))
        share = 10.0 ** rng.uniform(-4.0, 0.0, (PAIRS, 1))
        second = first + share * (rng.uniform(low, high, first.shape) - first)
        there, here = self.signed_distance(second), self.signed_distance(first)
        slope = np.abs(there - here) / np.linalg.norm(second - first, axis=1)
        worst = int(np.argmax(slope))
        if not slope[worst] <= 1.0 + ROUND_OFF:
            raise ValueError(
                "function must be a signed distance and change by no more than the distance "
                f"walked; between {first[worst]} and {second[worst]} it changes {slope[worst]:.3g} "
                f"times as much. Divide it by its largest slope, {slope[worst]:.3g} or more"
            )
