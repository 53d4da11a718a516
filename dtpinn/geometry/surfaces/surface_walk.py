"""Walking the boundary of any domain in space: quasi-uniform nodes on a surface.

A dense random sample of the surface is thinned until what is left is about a spacing apart, evened
out by a few sweeps of repulsion, and mended where it is too dense or too thin; the sample shows
where. Creases come first: their corners, then points in equal steps along them, which stay where
they are while the faces between them are filled.
"""

from __future__ import annotations

import warnings

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.clearance import GrowingCloud, keep_apart
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.sides import Sides, joined_sides, part_among
from dtpinn.geometry.spacing import Spacing, SpacingLike, as_spacing
from dtpinn.geometry.surfaces.crease_nodes import walk_creases
from dtpinn.geometry.surfaces.crease_sides import sides_on
from dtpinn.geometry.surfaces.creases import find_creases
from dtpinn.geometry.surfaces.evening import even_out
from dtpinn.geometry.surfaces.sampling import sample_surface

Rows = Integers

# In spacings: how near samples may be in the first choice. Evened out it gives 0.83 points to the
# square of a spacing, where the fullest lattice of this separation has 1.15.
THINNED = 0.83
# The sweeps of repulsion, before each of which points are taken away that are nearer than the first
# of these distances, and added where there are none within the second.
SWEEPS = (20, 8, 8, 9)
CLOSE, HOLE = 0.85, 0.82
# The same distances at the end, when nothing is evened out any more. Seldom does anything happen.
CLOSEST, WIDEST = 0.75, 0.9
# A sample is served by a node of its own face within so many spacings; how many sides are asked,
# and from which share of the sample on it is told that some are not.
SERVED, BESIDE, BARE = 1.3, 16, 0.01


def walk_surface(domain: Domain, spacing: SpacingLike) -> Boundary:
    """Quasi-uniform points on the boundary of a domain in space.

    Creases and corners are found where the normal jumps by more than 30 degrees, and get points of
    their own. They have two sides or more, each with the normal and the part of its face; as points
    they have the mean normal, and one of the parts. The same domain and spacing give the same
    points, bit for bit.

    Parameters
    ----------
    domain
        In three dimensions. Its signed distance, bounds, normals and nearest parts are asked, and
        nothing else.
    spacing
        Wanted distance between neighbours, a number or a function of points (n, 3) that gives (n,).

    Returns
    -------
    boundary
        No two points are nearer than 0.75 spacings, and none of the surface is farther than 0.9
        from the nearest.

    Raises
    ------
    ValueError
        If the domain is not in three dimensions, a spacing is not positive or is larger than the
        domain, or no boundary is found.

    Examples
    --------
    >>> from dtpinn.geometry import Box
    >>> walk_surface(Box(), 0.25)
    Boundary(83 points in 3-D, parts left, right, front, back, bottom, top)
    """
    if domain.dimension != 3:
        raise ValueError(
            f"a surface bounds a domain in 3-D; this {type(domain).__name__} is in "
            f"{domain.dimension}-D. Use its own walk_boundary"
        )
    h = as_spacing(spacing, domain.bounds, domain.cell)
    rng = np.random.default_rng(0)
    sample = sample_surface(domain, h, rng)
    if not len(sample):
        raise ValueError(
            f"no boundary was found within bounds={domain.bounds.tolist()}; the signed distance "
            "must vanish on it, and the bounds must hold it"
        )
    fixed, fixed_normals, sides = walk_creases(domain, find_creases(domain, sample, h), h)
    rows = np.flatnonzero(keep_apart(fixed, CLOSEST * h(fixed), cell=domain.cell))
    fixed, fixed_normals, sides = fixed[rows], fixed_normals[rows], sides.of(rows)
    free = _fill(domain, fixed, sample, h, rng)
    points = np.concatenate([fixed, free])
    normals = np.concatenate([fixed_normals, domain.normal(free)])
    part = domain.nearest_part(points)
    smooth = Sides.one_each(normals[len(fixed) :], part[len(fixed) :])
    sides = joined_sides([sides_on(domain, fixed, sides, h), smooth], [len(fixed), len(free)])
    boundary = Boundary(points, normals, part_among(part, sides), domain.parts, sides)
    _warn_of_faces_without_nodes(domain, boundary, sample, h)
    return boundary


def _warn_of_faces_without_nodes(
    domain: Domain, boundary: Boundary, sample: Floats, spacing: Spacing
) -> None:
    """Warn where a face has no nodes because another one, turned away from it, is too near."""
    sides = boundary.sides
    count = min(BESIDE, len(sides))
    places = boundary.points[sides.point]
    distance, near = domain.cell.tree(places).query(sample, k=np.arange(1, count + 1))
    cosine = np.einsum("nki,ni->nk", sides.normals[near], domain.normal(sample))
    served = (distance <= SERVED * spacing(sample)[:, None]) & (cosine > 0.0)
    bare = np.flatnonzero(~served.any(axis=1))
    if len(bare) > BARE * len(sample):
        place = ", ".join(f"{c:.3g}" for c in sample[bare[0]])
        warnings.warn(
            f"{100 * len(bare) / len(sample):.0f}% of the surface have no nodes of their own, near "
            f"({place}) for instance: two of its faces are nearer to each other there than the "
            f"spacing of {float(spacing(sample[bare[:1]])[0]):.3g}. Use a spacing below their "
            "distance (a function of the place may be small there alone)",
            stacklevel=2,
        )


def _fill(
    domain: Domain, fixed: Floats, sample: Floats, spacing: Spacing, rng: np.random.Generator
) -> Floats:
    """Points (n, 3) between the ``fixed`` ones, chosen from ``sample`` and evened out."""
    by_chance = rng.permutation(len(sample))
    chosen = by_chance[_apart(domain.cell, fixed, sample[by_chance], THINNED, spacing)]
    # Back to the order of the cells, in which neighbours in space are neighbours in memory.
    free = sample[np.sort(chosen)]
    for sweeps in SWEEPS:
        free = _mend(domain.cell, fixed, free, sample, spacing, CLOSE, HOLE)
        free = even_out(domain, fixed, free, spacing, sweeps)
    return _mend(domain.cell, fixed, free, sample, spacing, CLOSEST, WIDEST)


def _mend(
    cell: Cell,
    fixed: Floats,
    free: Floats,
    sample: Floats,
    spacing: Spacing,
    close: float,
    hole: float,
) -> Floats:
    """Take away from ``free`` what is too close, and add of ``sample`` where there are holes."""
    free = free[_apart(cell, fixed, free, close, spacing)]
    tree = cell.tree(np.concatenate([fixed, free]))
    distance = np.asarray(tree.query(sample)[0]) / spacing(sample)
    holes = np.flatnonzero(distance > hole)
    widest_first = sample[holes[np.argsort(-distance[holes], kind="stable")]]
    added = widest_first[_apart(cell, fixed[:0], widest_first, hole, spacing)]
    return np.concatenate([free, added])


def _apart(cell: Cell, fixed: Floats, points: Floats, share: float, spacing: Spacing) -> Rows:
    """Rows of ``points``, none nearer than a share of the spacing to ``fixed`` or to an earlier."""
    radius = share * spacing(points)
    rows = np.arange(len(points))
    if len(fixed):
        cloud = GrowingCloud(cell)
        cloud.add(fixed)
        rows = cloud.clear(points, radius)
    return rows[keep_apart(points[rows], radius[rows], cell=cell)]
