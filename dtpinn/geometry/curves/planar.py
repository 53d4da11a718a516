"""Domains in the plane that are given by their boundary curves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.arc import Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.curves.curve_walk import walk_curves
from dtpinn.geometry.curves.outline import Outline
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.spacing import SpacingLike


class Planar(Domain):
    """A domain in the plane that knows its boundary curves; everything else follows from them.

    Examples
    --------
    >>> from dtpinn.geometry.arc import segment
    >>> class Triangle(Planar):
    ...     parts = ("south", "east", "northwest")
    ...     def boundary_curves(self):
    ...         a, b, c = (0, 0), (1, 0), (1, 1)
    ...         return [(segment(a, b, 0), segment(b, c, 1), segment(c, a, 2))]
    >>> Triangle().signed_distance([[0.75, 0.5], [2.0, 0.5]])
    array([-0.1767767,  1.       ])
    """

    @property
    def dimension(self) -> int:
        """2."""
        return 2

    @abstractmethod
    def boundary_curves(self) -> Sequence[Curve]:
        """Closed loops of arcs, the domain on their left."""

    @cached_property
    def _outline(self) -> Outline:
        return Outline(self.boundary_curves(), self.cell)

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of the bounding box, (2, 2)."""
        return self.cell.box(self._outline.bounds)

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 2) to the boundary, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 2).
        """
        return self._outline.signed_distance(points)

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals where the boundary is nearest to ``points`` (n, 2); (n, 2).

        At a corner it is the normalised mean of the normals on its two sides.
        """
        return self._outline.normal(points)

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index in ``parts`` of where the boundary is nearest to ``points`` (n, 2); (n,).

        A corner, or the end of a part, belongs to the part that the walk, with the domain on its
        left, enters there.
        """
        return self._outline.part(points)

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points on the boundary, in the order of the walk; corners are nodes.

        See :func:`~dtpinn.geometry.curves.curve_walk.walk_curves` for where they lie.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the domain.
        """
        return walk_curves(self.boundary_curves(), self.parts, spacing, self.bounds, self.cell)
