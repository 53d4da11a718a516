"""Names of the parts of a boundary: distinct ones, and new ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points, names_text
from dtpinn.geometry.arc import Arc, Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.curves.curve_walk import walk_curves
from dtpinn.geometry.domain import Domain, Renaming
from dtpinn.geometry.r_functions import Values
from dtpinn.geometry.sides import part_among
from dtpinn.geometry.spacing import SpacingLike, as_spacing
from dtpinn.geometry.surfaces.crease_sides import places_beside

Predicate = Callable[[Floats], npt.ArrayLike]

# Samples of an arc, where one looks for the ends of a part; then they are bisected.
SAMPLES = 1024
BISECTIONS = 50


def distinct_names(left: Sequence[str], right: Sequence[str]) -> tuple[str, ...]:
    """Names of ``left`` and of ``right``, where those that come again get a number.

    Examples
    --------
    >>> distinct_names(("circle", "left"), ("circle",))
    ('circle', 'left', 'circle_2')
    """
    names = list(left)
    for name in right:
        number, candidate = 2, name
        while candidate in names or (candidate != name and candidate in right):
            candidate, number = f"{name}_{number}", number + 1
        names.append(candidate)
    return tuple(names)


class Parted(Domain):
    """A domain with parts of its boundary named anew; see :meth:`Domain.with_parts`.

    In the plane the arcs are cut where a predicate changes, so that parts end in nodes. Elsewhere a
    predicate is asked at each node of the boundary, and at a corner or on a crease half a spacing
    away on each of its sides: one that picks the top of a box has the top's side at the rim.

    A part of which predicates leave nothing has no name on the boundary that is walked.

    Parameters
    ----------
    domain
        Any domain.
    parts
        New name -> old names, or a predicate: points (n, d) -> (n,) bool.

    Raises
    ------
    TypeError
        If a value is neither names nor callable.
    ValueError
        If an old name is not one of the domain's, or is used twice, or a new one is kept by
        another part.

    Examples
    --------
    >>> from dtpinn.geometry import Rectangle
    >>> channel = Parted(Rectangle(), {"inlet": "left", "wall": ("bottom", "top")})
    >>> channel.parts
    ('right', 'inlet', 'wall')
    """

    def __init__(self, domain: Domain, parts: Renaming) -> None:
        self.domain = domain
        self._predicates: dict[str, Predicate] = {}
        renamed: dict[str, str] = {}
        for new, old in parts.items():
            if callable(old):
                self._predicates[new] = old
            elif isinstance(old, Sequence):
                renamed |= _renaming(new, (old,) if isinstance(old, str) else old, domain, renamed)
            else:
                raise TypeError(
                    f"part {new!r} must be given by names of old parts, or by a function of points "
                    f"that returns booleans; got {type(old).__name__}"
                )
        kept = [name for name in domain.parts if name not in renamed]
        if taken := [name for name in kept if name in parts and name not in self._predicates]:
            raise ValueError(
                f"part {taken[0]!r} is there already; rename it too, or choose another name"
            )
        self._names = tuple(dict.fromkeys([*kept, *parts]))
        number = [self._names.index(renamed.get(name, name)) for name in domain.parts]
        self._number = np.array(number, dtype=np.int64)

    def __repr__(self) -> str:
        return f"{self.domain!r} with parts {names_text(self._names)}"

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return self.domain.dimension

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of a box that holds the domain, (2, d)."""
        return self.domain.bounds

    @property
    def cell(self) -> Cell:
        """That of the domain."""
        return self.domain.cell

    @property
    def parts(self) -> tuple[str, ...]:
        """Old names that are kept, then the new ones."""
        return self._names

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, d) to the boundary, negative inside; (n,)."""
        return self.domain.signed_distance(points)

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at ``points`` (n, d) of the boundary; (n, d)."""
        return self.domain.normal(points)

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index in ``parts`` for each of ``points`` (n, d) of the boundary; (n,)."""
        at = as_points(points, self.dimension)
        return self._part(at, self.domain.nearest_part(at))

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """The domain's own, for the parts of old; not for those that predicates make."""
        if parts == set(self.parts):
            return self.domain.vanishing(x, set(self.domain.parts))
        if self._predicates:
            raise self.no_formula(f"parts {names_text(sorted(parts))} alone")
        numbers = zip(self.domain.parts, self._number, strict=True)
        return self.domain.vanishing(x, {old for old, k in numbers if self._names[k] in parts})

    def level(self, x: Sequence[Values]) -> Values:
        """The domain's own."""
        return self.domain.level(x)

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points of the domain's own walk, with the new parts; in the plane their ends are points.

        Raises
        ------
        ValueError
            If the predicate of a part holds at none of the points.
        """
        # Without curves of its own a domain in the plane would be traced, and need not know parts.
        own_curves = type(self.domain).boundary_curves is not Domain.boundary_curves
        walk, before = (
            self._walk_curves(spacing)
            if self.dimension == 2 and own_curves
            else self._walk_sides(spacing)
        )
        left = set(walk.sides.part.tolist())
        for name in self._predicates:
            if self._names.index(name) not in left:
                raise ValueError(
                    f"none of the {len(walk)} boundary nodes belongs to part {name!r}: its "
                    "predicate holds at none that an earlier one leaves. Nodes lie on the "
                    "boundary to round-off only: allow for it (np.isclose), or use a smaller "
                    "spacing"
                )
        return walk.without(self._names[number] for number in before)

    def _walk_curves(self, spacing: SpacingLike) -> tuple[Boundary, set[int]]:
        """Walk the arcs, once cut; and tell the parts that only the arcs before had."""
        curves = self.boundary_curves()
        walk = walk_curves(curves, self._names, spacing, self.bounds, self.cell)
        before = {int(self._number[arc.part]) for arc in chain(*self.domain.boundary_curves())}
        return walk, before - {arc.part for arc in chain(*curves)}

    def _walk_sides(self, spacing: SpacingLike) -> tuple[Boundary, set[int]]:
        """Walk as the domain does and ask for the parts; and tell those that it had before."""
        walk = self.domain.walk_boundary(spacing)
        old = np.array([self.domain.parts.index(name) for name in walk.names], dtype=np.int64)
        several = walk.sides.several(len(walk))[walk.sides.point]
        places = walk.points[walk.sides.point]
        if several.any() and self.dimension > 1:
            h = as_spacing(spacing, self.bounds, self.cell)(places[several])
            places[several] = places_beside(
                self.domain, places[several], walk.sides.normals[several], h
            )
        was = old[walk.sides.part]
        sides = replace(walk.sides, part=self._part(places, was))
        part = part_among(self._part(walk.points, old[walk.part]), sides)
        parted = Boundary(walk.points, walk.normals, part, self._names, sides)
        return parted, set(self._number[was].tolist())

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the domain's curves, with arcs cut where a predicate changes."""
        return [
            tuple(piece for arc in curve for piece in self._cut(arc))
            for curve in self.domain.boundary_curves()
        ]

    def _part(self, points: Floats, old: Integers) -> Integers:
        part, points = self._number[old], self.cell.wrap(points)
        for name, predicate in reversed(self._predicates.items()):
            holds = np.asarray(predicate(points))
            if holds.shape != (len(points),) or holds.dtype != np.bool_:
                raise ValueError(
                    f"the predicate of part {name!r} must return one bool per point, shape "
                    f"({len(points)},); got {holds.dtype} of shape {holds.shape}"
                )
            part[holds] = self._names.index(name)
        return part

    def _cut(self, arc: Arc) -> list[Arc]:
        """Pieces of an arc, each with one part."""

        def part_at(share: Floats) -> Integers:
            return self._part(arc.at(share), np.full(len(share), arc.part, dtype=np.int64))

        # Not at the ends, where a predicate may hold for the sake of the next arc.
        share = (np.arange(SAMPLES) + 0.5) / SAMPLES
        part = part_at(share)
        rows = np.flatnonzero(np.diff(part))
        low, high, before = share[rows], share[rows + 1], part[rows]
        for _ in range(BISECTIONS if rows.size else 0):
            middle = 0.5 * (low + high)
            same = part_at(middle) == before
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        cuts = [0.0, *high, 1.0]
        numbers = part[np.append(rows, SAMPLES - 1)]
        return [
            replace(arc.between(start, stop), part=int(number))
            for start, stop, number in zip(cuts[:-1], cuts[1:], numbers, strict=True)
        ]


def _renaming(
    new: str, old: Sequence[str], domain: Domain, renamed: Mapping[str, str]
) -> dict[str, str]:
    """Old name -> new name, for names that the domain has and that are not renamed yet."""
    for name in old:
        if name not in domain.parts:
            raise ValueError(
                f"part {new!r} is made of {name!r}, which is no part of {domain!r}; its parts are "
                f"{', '.join(domain.parts)}"
            )
        if name in renamed:
            raise ValueError(f"part {name!r} is renamed twice, {renamed[name]!r} and {new!r}")
    return dict.fromkeys(old, new)
