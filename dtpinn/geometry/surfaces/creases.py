"""Creases of a surface: where its normal jumps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.clearance import GrowingCloud, keep_apart
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.sides import Sides
from dtpinn.geometry.spacing import Spacing
from dtpinn.geometry.surfaces.projection import project

Flags = npt.NDArray[np.bool_]

# Two sides whose normals differ by more than this, in degrees, meet in a crease.
ANGLE = 30.0
# In spacings: how far apart on the two sides two samples may lie that reveal a crease, and how far
# apart along it two such pairs; from the first points found the rest of the crease is grown. Beside
# an edge folded outwards samples are few: with 0.6 one edge of a box in twenty was missed.
ACROSS = 1.0
SEEDS = 0.3
# In spacings: the step of the growth, and how near to each other its points may come.
STEP, NEAREST = 0.15, 0.1
# In spacings: how far from the crease its sides are asked, round after round. The planes that touch
# them there meet off the crease by the curvature times the square of this.
PROBES = (0.1, 1e-2, 1e-4)
# Of this, how much nearer or farther a probe may end up.
SLID = 0.3
# In sizes of the domain: nearer, a normal by differences, of steps of 6e-6, would mix the sides.
LEAST_PROBE = 3e-5


@dataclass(frozen=True, eq=False)
class Crease:
    """Points on the creases of a surface, in no order.

    Attributes
    ----------
    points
        (n, 3)
    first, second
        (n, 3), the normals of the two sides there.
    bend
        (n,), 1 where the surface is folded outwards, as on a box, -1 where inwards.
    """

    points: Floats
    first: Floats
    second: Floats
    bend: Floats

    def __len__(self) -> int:
        """Return the number of points, n."""
        return len(self.points)

    def __getitem__(self, rows: npt.NDArray[np.integer] | Flags) -> Crease:
        """Return some of the points."""
        return Crease(self.points[rows], self.first[rows], self.second[rows], self.bend[rows])

    def moved(self, points: Floats) -> Crease:
        """Return the same sides at other ``points``."""
        return replace(self, points=points)

    def updated(self, rows: npt.NDArray[np.intp], found: Crease) -> Crease:
        """Return a copy with ``found`` in some rows."""
        copy = self[np.arange(len(self))]
        for name in ("points", "first", "second", "bend"):
            getattr(copy, name)[rows] = getattr(found, name)
        return copy

    @property
    def normals(self) -> Floats:
        """Means of the normals of the two sides, of unit length, (n, 3)."""
        return unit(self.first + self.second)

    @property
    def sides(self) -> Sides:
        """Both sides of each point, their parts not asked yet."""
        normals = np.stack([self.first, self.second], axis=1).reshape(-1, 3)
        point = np.repeat(np.arange(len(self)), 2)
        return Sides(point, normals, np.zeros(len(point), dtype=np.int64))

    @property
    def tangents(self) -> Floats:
        """Unit vectors along the crease, (n, 3)."""
        return unit(np.cross(self.first, self.second))


def unit(vectors: Floats) -> Floats:
    """Return ``vectors`` (n, d) at length one; zero stays zero.

    Examples
    --------
    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0.0, length, 1.0))


def find_creases(domain: Domain, sample: Floats, spacing: Spacing) -> Crease:
    """Points on all creases of the surface of which ``sample`` (m, 3) is a dense sample.

    Wherever the normals at two near samples differ much, the planes that touch the surface there
    are intersected. Around the result the two sides are asked again, from nearer and nearer: on a
    crease the normals keep their angle, on a surface that is merely curved they lose it. From the
    points found so the creases are followed both ways, to their ends.

    Examples
    --------
    >>> from dtpinn.geometry import Ball, Box
    >>> from dtpinn.geometry.surfaces.sampling import sample_surface
    >>> spacing, rng = lambda x: np.full(len(x), 0.2), np.random.default_rng(0)
    >>> len(find_creases(Ball(), sample_surface(Ball(), spacing, rng), spacing))
    0
    >>> crease = find_creases(Box(), sample_surface(Box(), spacing, rng), spacing)
    >>> bool(np.all(np.sum(np.abs(np.abs(crease.points - 0.5) - 0.5) < 1e-12, axis=1) >= 2))
    True
    """
    seeds = _pairs_across(domain, sample, spacing)
    found, _ = settle(domain, seeds, spacing(seeds.points))
    found = _thinned(found, spacing, domain.cell)
    cloud = GrowingCloud(domain.cell)
    pieces = [found]
    while len(found):
        cloud.add(found.points)
        found = _grow(domain, cloud, found, spacing)
        pieces.append(found)
    return joined(pieces)


def joined(pieces: list[Crease]) -> Crease:
    """All points of ``pieces`` in one."""
    return Crease(
        np.concatenate([piece.points for piece in pieces]),
        np.concatenate([piece.first for piece in pieces]),
        np.concatenate([piece.second for piece in pieces]),
        np.concatenate([piece.bend for piece in pieces]),
    )


def settle(domain: Domain, near: Crease, scale: Floats) -> tuple[Crease, npt.NDArray[np.intp]]:
    """Move points that are ``near`` a crease onto it, and leave out those that find none.

    Parameters
    ----------
    domain
        Its signed distance and normals are asked.
    near
        n points, with the normals of the two sides and the bend near there.
    scale
        (n,), the spacing, or another length over which the sides are smooth.

    Returns
    -------
    crease
        Points on a crease, their normals taken there.
    rows
        Which of the n points these are.
    """
    rows = np.arange(len(near))
    for probe in PROBES:
        reach = np.maximum(probe * scale[rows], least_probe(domain))[:, None]
        lean = np.einsum("ni,ni->n", near.first, near.second)[:, None]
        # Into each side, at right angles to the crease: away from the other side's normal where
        # the surface is folded outwards.
        bend = near.bend[:, None]
        into_first = unit(bend * (lean * near.first - near.second))
        into_second = unit(bend * (lean * near.second - near.first))
        a, found_a = project(domain, near.points + reach * into_first)
        b, found_b = project(domain, near.points + reach * into_second)
        first, second = domain.normal(a), domain.normal(b)
        points = _meet(a, first, b, second)
        # Each probe has to stay on its side: one that slid back has the mean of both normals.
        off = np.linalg.norm(np.stack([a, b]) - points, axis=2)
        beside = np.all((off >= SLID * reach[:, 0]) & (off <= reach[:, 0] / SLID), axis=0)
        good = found_a & found_b & beside & _sharp(first, second)
        near = Crease(points, first, second, near.bend)[good]
        rows = rows[good]
    return near, rows


def least_probe(domain: Domain) -> float:
    """How near to a crease its sides can be told apart."""
    return LEAST_PROBE * float(np.max(domain.bounds[1] - domain.bounds[0]))


def _pairs_across(domain: Domain, sample: Floats, spacing: Spacing) -> Crease:
    """Where the planes meet that touch the surface at two near samples with other normals."""
    normals, h, cell = domain.normal(sample), spacing(sample), domain.cell
    reach = ACROSS * float(h.max(initial=0.0))
    a, b = cell.tree(sample).query_pairs(reach, output_type="ndarray").T
    other = cell.beside(sample[b], sample[a])
    length = np.linalg.norm(sample[a] - other, axis=1)
    rows = np.flatnonzero(_sharp(normals[a], normals[b]) & (length <= ACROSS * h[a]))
    rows = rows[np.argsort(length[rows], kind="stable")]
    middle = 0.5 * (sample[a[rows]] + other[rows])
    rows = rows[keep_apart(middle, SEEDS * h[a[rows]], cell=cell)]
    a, b, other = a[rows], b[rows], other[rows]
    slope = np.einsum("ni,ni->n", other - sample[a], normals[a] - normals[b])
    points = _meet(sample[a], normals[a], other, normals[b])
    near = np.linalg.norm(points - 0.5 * (sample[a] + other), axis=1) <= h[a]
    return Crease(points, normals[a], normals[b], np.where(slope < 0.0, 1.0, -1.0))[near]


def _grow(domain: Domain, cloud: GrowingCloud, front: Crease, spacing: Spacing) -> Crease:
    """Points of the crease one step further, on either side of each of ``front``."""
    step = (STEP * spacing(front.points))[:, None] * front.tangents
    ahead = joined([front.moved(front.points + way * step) for way in (1.0, -1.0)])
    ahead = ahead[cloud.clear(ahead.points, NEAREST * spacing(ahead.points))]
    ahead, _ = settle(domain, ahead, spacing(ahead.points))
    ahead = ahead[cloud.clear(ahead.points, NEAREST * spacing(ahead.points))]
    return _thinned(ahead, spacing, domain.cell)


def _thinned(crease: Crease, spacing: Spacing, cell: Cell) -> Crease:
    crease = crease.moved(cell.wrap(crease.points))
    return crease[keep_apart(crease.points, NEAREST * spacing(crease.points), cell=cell)]


def _sharp(first: Floats, second: Floats) -> Flags:
    """Whether normals differ by more than the angle that makes a crease."""
    return np.asarray(np.einsum("ni,ni->n", first, second) < math.cos(math.radians(ANGLE)))


def _meet(a: Floats, normal_a: Floats, b: Floats, normal_b: Floats) -> Floats:
    """Points (n, 3) on two planes each, through ``a`` and ``b``, nearest to the middle of a and b.

    Where the planes are parallel they meet at infinity, or nearly.
    """
    middle = 0.5 * (a + b)
    lean = np.einsum("ni,ni->n", normal_a, normal_b)
    above_a = np.einsum("ni,ni->n", middle - a, normal_a)
    above_b = np.einsum("ni,ni->n", middle - b, normal_b)
    scale = 1.0 / np.maximum(1.0 - lean**2, np.finfo(np.float64).eps)
    to_a, to_b = scale * (above_a - lean * above_b), scale * (above_b - lean * above_a)
    return np.asarray(middle - to_a[:, None] * normal_a - to_b[:, None] * normal_b)
