"""The box."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.parameters import as_corners, as_flags
from dtpinn.geometry.r_functions import Values, between_faces, faces
from dtpinn.geometry.spacing import SpacingLike, as_spacing
from dtpinn.geometry.surfaces.surface_walk import walk_surface

FACES = ("left", "right", "front", "back", "bottom", "top")


@dataclass(frozen=True)
class Box(Domain):
    """A box along the axes.

    Its parts are ``"left"`` and ``"right"``, where x is smallest and largest, ``"front"`` and
    ``"back"``, where y is, and ``"bottom"`` and ``"top"``, where z is. A point on an edge or a
    corner belongs to the first of its faces in this order, and its normal is the mean of theirs.

    Parameters
    ----------
    lower, upper
        Opposite corners, three coordinates each.
    periodic
        In x, y and z: whether the two faces there are glued to each other, and are no parts.

    Raises
    ------
    TypeError
        If ``periodic`` does not hold bools.
    ValueError
        If they are not three finite numbers each, or ``upper`` is not larger than ``lower`` in
        every coordinate.

    Examples
    --------
    >>> box = Box(lower=(0.0, 0.0, 0.0), upper=(1.0, 2.0, 3.0))
    >>> box.signed_distance([[0.5, 1.0, 1.0], [4.0, 6.0, 1.0]])
    array([-0.5,  5. ])
    >>> box.parts[box.nearest_part([[0.9, 1.0, 1.0]])[0]]
    'right'
    """

    lower: tuple[float, float, float] = (0.0, 0.0, 0.0)
    upper: tuple[float, float, float] = (1.0, 1.0, 1.0)
    periodic: tuple[bool, bool, bool] = (False, False, False)

    def __post_init__(self) -> None:
        lower, upper = as_corners(self.lower, self.upper, 3)
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        object.__setattr__(self, "periodic", as_flags(self.periodic, 3, "periodic"))

    @property
    def dimension(self) -> int:
        """3."""
        return 3

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner, (2, 3)."""
        return np.array([self.lower, self.upper])

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the six faces, by axis: x, y, z; less those that are glued to each other."""
        return tuple(FACES[k] for k in self._faces)

    @property
    def cell(self) -> Cell:
        """The period of the box, if it has one."""
        return Cell.of_box(self.lower, self.upper, self.periodic)

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 3) to the surface, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 3).
        """
        beyond = np.max(self._beyond(points), axis=0)
        outside = np.sqrt(np.sum(np.maximum(beyond, 0.0) ** 2, axis=0))
        return np.asarray(outside + np.minimum(beyond.max(axis=0), 0.0))

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Return the product of lines, or planes, that vanish on the sides asked for."""
        each = chain.from_iterable(faces(x, self.lower, self.upper))
        return math.prod(face for name, face in zip(FACES, each, strict=True) if name in parts)

    def level(self, x: Sequence[Values]) -> Values:
        """Return what is positive between both sides, in every coordinate that has them."""
        return between_faces(faces(x, self.lower, self.upper), self.periodic)

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index into :attr:`parts` of the face nearest to each of ``points`` (n, 3); (n,)."""
        # Outside, the nearest point of the box decides.
        beyond = self._beyond(np.clip(as_points(points, 3), self.lower, self.upper))
        by_face = beyond.transpose(1, 0, 2).reshape(6, -1)
        nearest = by_face >= by_face.max(axis=0) - self._round_off()
        face = np.searchsorted(self._faces, np.argmax(nearest, axis=0))
        return np.asarray(face, dtype=np.int64)

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at boundary ``points`` (n, 3), on an edge or a corner the mean.

        Off the boundary it is the direction in which the distance grows; zero without boundary.
        """
        if not self.parts:
            return np.zeros_like(as_points(points, 3))
        beyond = self._beyond(points)
        farthest = beyond.max(axis=(0, 1))
        nearest_faces = np.where(beyond >= farthest - self._round_off(), 1.0, 0.0)
        outside = farthest > self._round_off()
        below, above = np.where(outside, np.maximum(beyond, 0.0), nearest_faces)
        vector = (above - below).T
        length = np.linalg.norm(vector, axis=1, keepdims=True)
        # In the very middle the faces cancel.
        return np.where(length > 0.0, vector, (1.0, 0.0, 0.0)) / np.where(length > 0.0, length, 1.0)

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Corners, equal steps along the edges, and quasi-uniform points on the faces.

        See :func:`~dtpinn.geometry.surfaces.surface_walk.walk_surface`.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the box.
        """
        if not self.parts:
            as_spacing(spacing, self.bounds)(self.bounds)
            return Boundary.none(3)
        return walk_surface(self, spacing)

    def _beyond(self, points: npt.ArrayLike) -> Floats:
        """How far ``points`` lie beyond the planes of the faces, (2, 3, n): side, axis, point."""
        x = as_points(points, 3).T
        lower, upper = self.bounds[:, :, None]
        beyond = np.stack([lower - x, x - upper])
        beyond[:, self.cell.axes] = -np.inf
        return beyond

    @property
    def _faces(self) -> list[int]:
        """Numbers of the faces that are parts."""
        return [k for k in range(6) if not self.periodic[k // 2]]

    def _round_off(self) -> float:
        return 8.0 * float(np.finfo(np.float64).eps * np.abs(self.bounds).max())
