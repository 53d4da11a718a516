"""A dense sample of the boundary of a domain in space, from which its nodes are chosen."""

from __future__ import annotations

import math

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.spacing import Spacing
from dtpinn.geometry.surfaces.projection import project

# Side of the smallest cells, in spacings: about seven samples for every node. Cells of 0.4 give
# eleven, and nodes that are no better.
GRAIN = 0.5
# Cells along the longest side to begin with; a variable spacing is noticed at their scale.
COARSE = 16


def sample_surface(domain: Domain, spacing: Spacing, rng: np.random.Generator) -> Floats:
    """Points on the boundary, many within each spacing of every point of it.

    A tree of cells is refined where the boundary may be: the signed distance changes by no more
    than the way walked, so a cell whose centre is farther away than its corners holds none of it.
    Nothing is missed, however small a piece, and the work grows with the surface and not with the
    volume. A random point of each remaining cell is moved onto the boundary.

    Parameters
    ----------
    domain
        In three dimensions.
    spacing
        Takes points (n, 3), gives the wanted distance between nodes there, (n,).
    rng
        Source of the places in the cells: on a flat face the centres would form a grid, and so
        would the nodes.

    Returns
    -------
    sample
        (m, 3)

    Examples
    --------
    >>> from dtpinn.geometry import Ball
    >>> sample = sample_surface(Ball(), lambda x: np.full(len(x), 0.1), np.random.default_rng(0))
    >>> bool(np.abs(Ball().signed_distance(sample)).max() < 1e-11)
    True
    """
    centres, side = _coarse_cells(domain, spacing)
    found = []
    while len(centres):
        near = np.abs(domain.signed_distance(centres)) <= 0.5 * math.sqrt(3.0) * side
        centres = centres[near]
        small = side <= GRAIN * spacing(centres) * (1.0 + 1e-9)
        leaves = centres[small]
        leaves = leaves + side * rng.uniform(-0.5, 0.5, leaves.shape)
        # Of a periodic domain the cubes reach beyond the cell, where they would count again.
        found.append(leaves[(domain.cell.wrap(leaves) == leaves).all(axis=1)])
        side *= 0.5
        octants = 0.5 * side * np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, 8).T
        centres = (centres[~small][:, None] + octants).reshape(-1, 3)
    sample, reached = project(domain, np.concatenate(found))
    return domain.cell.wrap(sample[reached])


def _coarse_cells(domain: Domain, spacing: Spacing) -> tuple[Floats, float]:
    """Centres (n, 3) and side of cubes that cover the bounding box.

    Halving the side some times gives that of the smallest cells where the spacing is what it is in
    the middle of the box.
    """
    lower, upper = domain.bounds
    middle = 0.5 * (lower + upper)
    finest = GRAIN * float(spacing(middle[None])[0])
    halvings = math.floor(math.log2(max(float(np.max(upper - lower)) / (COARSE * finest), 1.0)))
    side = finest * 2.0**halvings
    axes = []
    for axis in range(3):
        # One more cell than fit: a face of the box lies inside a cell and not between two.
        cells = math.floor((upper[axis] - lower[axis]) / side) + 1
        axes.append(middle[axis] + side * (np.arange(cells) - 0.5 * (cells - 1)))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3), side
