"""A domain that comes again in every cell, as a hole in a periodic domain does."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.arc import Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.spacing import SpacingLike

# Of the period: an object that is wider meets its own image.
WIDEST = 1.0 - 1e-9


@dataclass(frozen=True)
class Repeated(Domain):
    """All images of a domain, which may cross the seam.

    Parameters
    ----------
    domain
        Narrower than the period in each periodic direction, so that its images do not meet.
    period
        The cell.

    Raises
    ------
    ValueError
        If it is wider.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> row = Repeated(Disk(0.25, (3.0, 0.0)), Cell((0.0, 0.0), (1.0, np.inf)))
    >>> row.signed_distance([[0.0, 0.0], [0.5, 0.0], [17.9, 0.0]]).round(9)
    array([-0.25,  0.25, -0.15])
    """

    domain: Domain
    period: Cell

    def __post_init__(self) -> None:
        for axis in self.period.axes:
            width, period = float(np.ptp(self.domain.bounds[:, axis])), self.period.periods[axis]
            if width >= WIDEST * period:
                raise ValueError(
                    f"{self.domain!r} meets its own image: it is {width:g} wide in the direction "
                    f"{'xyz'[axis]}, which has the period {period:g}. Make it narrower, make it "
                    "periodic in that direction as well, or take a cell of several periods with "
                    "all the objects in it"
                )

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return self.domain.dimension

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.period

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of a box that holds the image whose middle is in the cell."""
        return self.domain.bounds + self._shift

    @property
    def parts(self) -> tuple[str, ...]:
        """Those of the domain."""
        return self.domain.parts

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, d) to the nearest image, negative inside; (n,)."""
        asked = self._nearest_images(as_points(points, self.dimension))
        return np.asarray(np.min([self.domain.signed_distance(at) for at in asked], axis=0))

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at ``points`` (n, d) of the boundary; (n, d)."""
        return self.domain.normal(self._to_nearest(points))

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index in ``parts`` for each of ``points`` (n, d) of the boundary; (n,)."""
        return self.domain.nearest_part(self._to_nearest(points))

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the curves of the image whose middle is in the cell."""
        return [
            tuple(arc.moved(lambda x: x + self._shift, lambda n: n) for arc in curve)
            for curve in self.domain.boundary_curves()
        ]

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points of the domain's own walk, in the cell."""
        walk = self.domain.walk_boundary(spacing)
        points = self.period.wrap(walk.points)
        return Boundary(points, walk.normals, walk.part, walk.names, walk.sides)

    @cached_property
    def _middle(self) -> Floats:
        return np.asarray(self.domain.bounds.mean(axis=0))

    @cached_property
    def _shift(self) -> Floats:
        return np.asarray(self.period.wrap(self._middle[None])[0] - self._middle)

    def _nearest_images(self, points: Floats) -> list[Floats]:
        """Where ``points`` lie beside the domain, and beside its next images, 2^k times (n, d).

        Of the images that a point lies between, in each direction, one is the nearest: the domain
        is narrower than the period.
        """
        here = self.period.beside(points, np.broadcast_to(self._middle, points.shape))
        lengths = np.zeros(self.dimension)
        lengths[list(self.period.axes)] = [self.period.periods[k] for k in self.period.axes]
        onwards = np.where(here < self._middle, lengths, -lengths)
        choices = [(0.0, 1.0) if length else (0.0,) for length in lengths]
        return [here + np.array(steps) * onwards for steps in itertools.product(*choices)]

    def _to_nearest(self, points: npt.ArrayLike) -> Floats:
        asked = self._nearest_images(as_points(points, self.dimension))
        nearest = np.argmin([self.domain.signed_distance(at) for at in asked], axis=0)
        return np.asarray(np.stack(asked)[nearest, np.arange(len(nearest))])


def as_periodic(domain: Domain, cell: Cell) -> Domain:
    """Return ``domain`` with the period of ``cell``, or as it is if it has that already.

    Raises
    ------
    ValueError
        If it has another period, or is wider than this one.
    """
    if not cell.periodic or domain.cell.same_as(cell):
        return domain
    if domain.cell.periodic:
        raise ValueError(
            f"both domains are periodic, and not alike: {domain!r} has the periods "
            f"{domain.cell.periods}, the other one {cell.periods}. Give both the same"
        )
    return Repeated(domain, cell)
