"""What a domain has to answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.arc import Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.spacing import SpacingLike
from dtpinn.geometry.vanishing import Vanishing

# Of a central difference, in sizes of the domain: about the cube root of the round-off, where the
# error of truncation and that of cancellation are equal.
STEP = 6e-6

# New name of a part -> old names, or a predicate: points (n, d) -> (n,) bool.
Renaming = Mapping[str, str | Sequence[str] | Callable[..., npt.ArrayLike]]


@dataclass(frozen=True)
class Operations:
    """What makes domains, or their curves, of domains.

    The base class cannot import its own subclasses, so it is handed them:
    :mod:`dtpinn.geometry.operations` fills this in.
    """

    union: Callable[[Domain, Domain], Domain]
    intersection: Callable[[Domain, Domain], Domain]
    difference: Callable[[Domain, Domain], Domain]
    translated: Callable[[Domain, npt.ArrayLike], Domain]
    rotated: Callable[[Domain, float, npt.ArrayLike | None, npt.ArrayLike | None], Domain]
    scaled: Callable[[Domain, float, npt.ArrayLike | None], Domain]
    parted: Callable[[Domain, Renaming], Domain]
    curves: Callable[[Domain], Sequence[Curve]]


class Domain(Vanishing):
    """A bounded region of the line, the plane or space.

    Placing nodes needs only what is declared here, so a subclass that answers these questions can
    be used everywhere that a built-in domain can.

    Examples
    --------
    >>> import numpy as np
    >>> from dtpinn.geometry import Boundary, Domain
    >>> class Interval(Domain):
    ...     dimension = 1
    ...     parts = ("left", "right")
    ...     bounds = np.array([[0.0], [1.0]])
    ...     def signed_distance(self, points):
    ...         return np.abs(np.asarray(points)[:, 0] - 0.5) - 0.5
    ...     def walk_boundary(self, spacing):
    ...         return Boundary([[0.0], [1.0]], [[-1.0], [1.0]], [0, 1], self.parts)
    >>> Interval().contains([[0.25], [2.0]])
    array([ True, False])
    """

    _make: ClassVar[Operations]

    @property
    @abstractmethod
    def bounds(self) -> Floats:
        """Lower and upper corner of a box that holds the domain, (2, d)."""

    @abstractmethod
    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance to the boundary, negative inside.

        It must change by no more than the distance walked (be 1-Lipschitz) and vanish on the
        boundary only. The exact distance does; so do the minimum and maximum of two distances,
        which are the union and intersection of two domains, although they may underestimate.

        Parameters
        ----------
        points
            (n, d)

        Returns
        -------
        distance
            (n,)
        """

    @abstractmethod
    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points on the boundary, neighbours about ``spacing`` apart, with normals and parts.

        Every connected piece of the boundary is visited: the nodes inside grow from these points.
        Neighbouring points should be no closer than about ``0.75 * spacing`` and, along a curve,
        no farther than about ``1.3 * spacing``. In the plane they come in the order of the walk.

        A corner, a point of a crease, and the end of a part are one point that belongs to each of
        the pieces that meet there. A domain of one's own tells so by the boundary's ``sides``
        (:class:`~dtpinn.geometry.Sides`): rows of points that ascend, a corner's as often as pieces
        meet there, each with the normal and the part of its piece. Without them every point has one
        side, its own, and conditions hold there with its mean normal and its one part.

        Parameters
        ----------
        spacing
            A length, or a function of the place: points (n, d) -> (n,) lengths.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the domain.
        """

    @property
    def cell(self) -> Cell:
        """The period of a domain that repeats itself; by default none does.

        What a periodic domain answers is then the same at all images of a point, ``bounds`` are
        those of the cell, and the sides that are glued to each other are no boundary.
        """
        return Cell.open(self.dimension)

    def contains(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each of ``points`` (n, d) lies strictly inside; (n,)."""
        return np.asarray(self.signed_distance(points) < 0.0, dtype=np.bool_)

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at ``points`` (n, d) of the boundary; (n, d).

        Unless a domain knows better, the direction in which the signed distance grows, by central
        differences. Domains of the library answer at a corner with the normalised mean of the
        normals on its two sides.
        """
        at = as_points(points, self.dimension)
        step = STEP * float(np.max(self.bounds[1] - self.bounds[0]))
        slopes = [
            self.signed_distance(at + shift) - self.signed_distance(at - shift)
            for shift in step * np.eye(self.dimension)
        ]
        gradient = np.column_stack(slopes)
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        return np.asarray(gradient / np.where(length > 0.0, length, 1.0))

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index in ``parts`` of the part on which, or next to which, ``points`` (n, d) lie; (n,).

        Raises
        ------
        NotImplementedError
            If there are several parts, and the domain does not say which is where.
        """
        if len(self.parts) > 1:
            raise NotImplementedError(
                f"{type(self).__name__} has the parts {', '.join(self.parts)} and no method "
                "nearest_part(points), which a set operation asks; write one"
            )
        return np.zeros(len(as_points(points, self.dimension)), dtype=np.int64)

    def boundary_curves(self) -> Sequence[Curve]:
        """Boundary of a domain in the plane as closed loops of arcs, the domain on their left.

        Unless a domain knows better, traced on a grid of 512 cells along its longest side.

        Raises
        ------
        TypeError
            If the domain is not in the plane.
        """
        if self.dimension != 2:
            raise TypeError(
                f"boundary curves are for domains in the plane; {self!r} is in {self.dimension}-D"
            )
        return self._make.curves(self)

    def __or__(self, other: Domain) -> Domain:
        """Return what lies in this domain or in ``other``."""
        return self._make.union(self, other) if isinstance(other, Domain) else NotImplemented

    def __and__(self, other: Domain) -> Domain:
        """Return what lies in this domain and in ``other``."""
        return self._make.intersection(self, other) if isinstance(other, Domain) else NotImplemented

    def __sub__(self, other: Domain) -> Domain:
        """Return what lies in this domain and not in ``other``."""
        return self._make.difference(self, other) if isinstance(other, Domain) else NotImplemented

    def translate(self, offset: npt.ArrayLike) -> Domain:
        """Return the domain moved by ``offset``, d numbers.

        Examples
        --------
        >>> from dtpinn.geometry import Disk
        >>> Disk().translate((2.0, 0.0)).bounds
        array([[ 1., -1.],
               [ 3.,  1.]])
        """
        return self._make.translated(self, offset)

    def rotate(
        self,
        angle: float,
        axis: npt.ArrayLike | None = None,
        *,
        center: npt.ArrayLike | None = None,
    ) -> Domain:
        """Return the domain turned about ``center`` by ``angle`` in radians.

        Parameters
        ----------
        angle
            Counter-clockwise; in space, seen from the tip of ``axis``.
        axis
            In space: three numbers, the direction of the axis.
        center
            A point that stays where it is, the origin if not given.
        """
        return self._make.rotated(self, angle, axis, center)

    def scale(self, factor: float, *, center: npt.ArrayLike | None = None) -> Domain:
        """Return the domain ``factor`` times as large, as seen from ``center`` (the origin)."""
        return self._make.scaled(self, factor, center)

    def with_parts(self, parts: Renaming) -> Domain:
        """Return the domain with parts of its boundary named anew.

        Parameters
        ----------
        parts
            New name -> the name, or names, of the parts that shall be called so, or a predicate:
            points (n, d) -> (n,) bool. Where several predicates hold the first one counts. The
            rest of the boundary keeps its names. In the plane the ends of parts become nodes.

        Examples
        --------
        >>> from dtpinn.geometry import Disk
        >>> half = Disk().with_parts({"top": lambda x: x[:, 1] > 0.0})
        >>> half.walk_boundary(0.1)
        Boundary(62 points in 2-D, parts circle, top)
        """
        return self._make.parted(self, parts)
