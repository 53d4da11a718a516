"""The rectangle."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.checks import as_points
from dtpinn.geometry.arc import Curve, segment
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.curves.planar import Planar
from dtpinn.geometry.parameters import as_corners, as_flags
from dtpinn.geometry.r_functions import Values, between_faces, faces

SIDES = ("left", "right", "bottom", "top")
# In the order of the walk.
WALK = ("bottom", "right", "top", "left")


@dataclass(frozen=True)
class Rectangle(Planar):
    """A rectangle along the axes; its sides are ``"left"``, ``"right"``, ``"bottom"``, ``"top"``.

    The walk goes counter-clockwise from the lower left corner. A corner belongs to the side that
    it enters: the lower left one to the bottom, the lower right one to the right side, and so on.

    Parameters
    ----------
    lower, upper
        The lower left and the upper right corner, two coordinates each.
    periodic
        In x and in y: whether the two sides there are glued to each other. They are no parts then,
        and what is cut out or joined comes again in every period.

    Raises
    ------
    TypeError
        If ``periodic`` does not hold bools.
    ValueError
        If a corner is not two finite numbers, or ``upper`` is not above and to the right.

    Examples
    --------
    >>> square = Rectangle((0.0, 0.0), (1.0, 1.0))
    >>> square.signed_distance([[0.5, 0.75], [4.0, 5.0]])
    array([-0.25,  5.  ])
    >>> square.walk_boundary(0.1)
    Boundary(40 points in 2-D, parts left, right, bottom, top)
    >>> Rectangle((0.0, 0.0), (1.0, 1.0), periodic=(True, False)).parts
    ('bottom', 'top')
    """

    lower: tuple[float, float] = (0.0, 0.0)
    upper: tuple[float, float] = (1.0, 1.0)
    periodic: tuple[bool, bool] = (False, False)

    def __post_init__(self) -> None:
        lower, upper = as_corners(self.lower, self.upper, 2)
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        object.__setattr__(self, "periodic", as_flags(self.periodic, 2, "periodic"))

    @property
    def bounds(self) -> Floats:
        """Lower left and upper right corner, (2, 2)."""
        return np.array([self.lower, self.upper])

    @property
    def parts(self) -> tuple[str, ...]:
        """``("left", "right", "bottom", "top")``, less those that are glued to each other."""
        in_x, in_y = self.periodic
        return () if all(self.periodic) else SIDES[2:] if in_x else SIDES[:2] if in_y else SIDES

    @property
    def cell(self) -> Cell:
        """The period of the rectangle, if it has one."""
        return Cell.of_box(self.lower, self.upper, self.periodic)

    def boundary_curves(self) -> Sequence[Curve]:
        """Return bottom, right, top and left; of a periodic one each is a loop of its own."""
        (x0, y0), (x1, y1) = self.lower, self.upper
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        sides = [
            segment(start, stop, self.parts.index(name))
            for name, start, stop in zip(WALK, corners[:-1], corners[1:], strict=True)
            if name in self.parts
        ]
        return [(side,) for side in sides] if self.cell.periodic else [tuple(sides)]

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals where the boundary is nearest to ``points`` (n, 2); (n, 2).

        Zero where there is no boundary.
        """
        return super().normal(points) if self.parts else np.zeros_like(as_points(points, 2))

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Return the product of lines, or planes, that vanish on the sides asked for."""
        each = chain.from_iterable(faces(x, self.lower, self.upper))
        return math.prod(face for name, face in zip(SIDES, each, strict=True) if name in parts)

    def level(self, x: Sequence[Values]) -> Values:
        """Return what is positive between both sides, in every coordinate that has them."""
        return between_faces(faces(x, self.lower, self.upper), self.periodic)

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 2) to the sides, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 2).
        """
        at = as_points(points, 2)
        beyond = np.maximum(np.array(self.lower) - at, at - np.array(self.upper))
        beyond[:, self.cell.axes] = -np.inf
        outside = np.maximum(beyond, 0.0)
        return np.asarray(
            np.hypot(outside[:, 0], outside[:, 1]) + np.minimum(beyond.max(axis=1), 0.0)
        )
