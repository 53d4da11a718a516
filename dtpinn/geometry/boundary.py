"""Points on the boundary of a domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_indices, as_normals, as_points, check_finite
from dtpinn.geometry.sides import Sides, checked_sides

# Names of parts that are printed; a polygon may have thousands.
SHOWN = 8


@dataclass(frozen=True, eq=False)
class Boundary:
    """Points on a boundary with their normals and the part that each belongs to.

    Anything array-like is accepted; the arrays kept are read-only copies.

    Attributes
    ----------
    points
        (nb, d)
    normals
        (nb, d), of unit length, pointing out of the domain; at a corner the mean of its sides'.
    part
        (nb,) integers: ``names[part[i]]`` is the part of point i, at a corner one of its sides'.
    names
        Names of the parts, in the domain's order.
    sides
        The parts that meet at each point, with their normals there; by default one for each point,
        its own.

    Raises
    ------
    TypeError
        If ``part`` does not hold integers.
    ValueError
        If shapes disagree, a coordinate is not finite, a normal is not of unit length, a name
        comes twice, ``part`` points past ``names``, or a point has no side.

    Examples
    --------
    >>> ends = Boundary([[0.0], [1.0]], [[-1.0], [1.0]], [0, 1], ("left", "right"))
    >>> len(ends), ends.dimension
    (2, 1)
    """

    points: Floats
    normals: Floats
    part: Integers
    names: tuple[str, ...]
    sides: Sides = field(default=None)  # type: ignore[assignment]  # filled in below

    def __post_init__(self) -> None:
        points = as_points(self.points, name="points")
        check_finite(points, "points")
        normals = as_normals(self.normals, points)
        names = tuple(str(name) for name in np.atleast_1d(self.names))
        if len(set(names)) != len(names):
            raise ValueError(f"names of parts must differ; got {names}")
        part = as_indices(self.part, "part", len(names), len(points))
        for name, array in (("points", points), ("normals", normals), ("part", part)):
            copy = array.copy(order="C")
            copy.flags.writeable = False
            object.__setattr__(self, name, copy)
        object.__setattr__(self, "names", names)
        sides = Sides.one_each(normals, part) if self.sides is None else self.sides
        object.__setattr__(self, "sides", checked_sides(sides, points, len(names)))

    @classmethod
    def none(cls, dimension: int) -> Boundary:
        """Return the boundary of a domain that has none, being periodic in all directions.

        Examples
        --------
        >>> len(Boundary.none(2))
        0
        """
        nothing, rows = np.zeros((0, dimension)), np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, rows, ())

    def without(self, names: Iterable[str]) -> Boundary:
        """Return the boundary less those of ``names`` that no point has.

        For parts of which nothing is left: a condition there would be empty. A part that is only
        too short for a node keeps its name, as which names are valid must not depend on a spacing.

        Examples
        --------
        >>> Boundary([[1.0]], [[1.0]], [1], ("left", "right")).without({"left", "right"}).names
        ('right',)
        """
        used = {self.names[number] for number in np.union1d(self.sides.part, self.part)}
        gone = set(names) - used
        left = [i for i, name in enumerate(self.names) if name not in gone]
        number = np.zeros(len(self.names), dtype=np.int64)
        number[left] = np.arange(len(left))
        return Boundary(
            self.points, self.normals, number[self.part], tuple(self.names[i] for i in left),
            replace(self.sides, part=number[self.sides.part]),
        )  # fmt: skip

    def __len__(self) -> int:
        """Return the number of points, nb."""
        return len(self.points)

    def __repr__(self) -> str:
        more = f", ... ({len(self.names)} in all)" if len(self.names) > SHOWN else ""
        names = ", ".join(self.names[:SHOWN]) + more
        return f"Boundary({len(self)} points in {self.dimension}-D, parts {names})"

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return cast(int, self.points.shape[1])
