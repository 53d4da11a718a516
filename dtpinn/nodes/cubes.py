"""Cubes inside a domain: what of it can be cut up without knowing the boundary."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.node_set import NodeSet

# From a cube to the boundary, beside half its diagonal: so that none reaches through between nodes.
_GAP = 0.5


@dataclass(frozen=True, eq=False)
class Cubes:
    """Cubes about a spacing wide that fill a domain up to a layer beside its boundary.

    Made by :func:`cubes_inside`. They are cells of a grid that is halved where nodes are finer.

    Attributes
    ----------
    lower, side : (d,) arrays
        The grid's corner, and a cell of it.
    cells : (d,) int array
        How many there are in each direction.
    periodic : tuple of int
        The directions in which the grid is closed.
    levels : list of (n, d) int arrays
        The cubes, as cells of the grid halved so many times.
    """

    lower: Floats
    side: Floats
    cells: Integers
    periodic: tuple[int, ...]
    levels: list[Integers]

    def __len__(self) -> int:
        return sum(len(level) for level in self.levels)

    def none(self) -> Cubes:
        """Return the same grid without a cube."""
        return replace(self, levels=[])

    @property
    def centres(self) -> Floats:
        """Of the cubes, (n, d)."""
        found = [
            self.lower + (index + 0.5) * self.side / 2**k for k, index in enumerate(self.levels)
        ]
        return np.concatenate(found)

    @property
    def sides(self) -> Floats:
        """How wide the cubes are in each direction, (n, d)."""
        return np.concatenate(
            [np.tile(self.side / 2**k, (len(index), 1)) for k, index in enumerate(self.levels)]
        )

    def hold(self, points: Floats) -> np.ndarray:
        """Tell which of points (m, d) lie in a cube."""
        inside = np.zeros(len(points), dtype=np.bool_)
        for k, index in enumerate(self.levels):
            cell = np.floor((points - self.lower) / (self.side / 2**k)).astype(np.int64)
            shape = self.cells * 2**k
            within = ((cell >= 0) & (cell < shape)).all(axis=1)
            cell = np.clip(cell, 0, shape - 1)
            inside |= within & np.isin(_number(cell, shape), _number(index, shape))
        return inside

    def faces(self) -> tuple[Floats, Floats, Floats]:
        """Return where the cubes end.

        Returns
        -------
        centres : (n, d)
        widths : (n, d)
            Of the faces, zero along their normals.
        outward : (n, d)
            The normals.
        """
        d = len(self.side)
        found = [self._across(axis) for axis in range(d)]
        centres, widths, outward = (np.concatenate(part) for part in zip(*found, strict=True))
        return centres, widths, outward

    def _across(self, axis: int) -> tuple[Floats, Floats, Floats]:
        """The faces across one direction: of two that meet none is left; large ones are halved."""
        d = len(self.side)
        children = np.array(list(itertools.product((0, 1), repeat=d - 1)), dtype=np.int64)
        halves = np.insert(children.reshape(2 ** (d - 1), d - 1), axis, 0, axis=1)
        own = [self._of_level(axis, k) for k in range(len(self.levels))]
        centres, widths, outward = [], [], []
        left, sign = np.zeros((0, d), dtype=np.int64), np.zeros(0)
        for k, (index, signs) in enumerate(own):
            shape = self.cells * 2**k + 1
            left, sign = np.concatenate([left, index]), np.concatenate([sign, signs])
            number, first, of = np.unique(
                _number(left, shape), return_index=True, return_inverse=True
            )
            total = np.bincount(of.ravel(), weights=sign, minlength=len(number))
            open_ = total != 0.0
            left, sign, number = left[first[open_]], total[open_], number[open_]
            above = [_ancestors(finer, axis, m + 1) for m, (finer, _) in enumerate(own[k + 1 :])]
            split = np.isin(number, _number(np.concatenate([left[:0], *above]), shape))
            width = np.where(np.arange(d) == axis, 0.0, self.side / 2**k)
            middle = np.where(np.arange(d) == axis, 0.0, 0.5)
            centres.append(self.lower + (left[~split] + middle) * self.side / 2**k)
            widths.append(np.tile(width, (int((~split).sum()), 1)))
            outward.append(sign[~split, None] * np.eye(d)[axis])
            left = (2 * left[split][:, None] + halves).reshape(-1, d)
            sign = np.repeat(sign[split], len(halves))
        return np.concatenate(centres), np.concatenate(widths), np.concatenate(outward)

    def _of_level(self, axis: int, level: int) -> tuple[Integers, Floats]:
        """Both faces of every cube, as cells of the grid, and which way they look."""
        low = self.levels[level]
        high = low + np.eye(len(self.side), dtype=np.int64)[axis]
        if axis in self.periodic:
            high = high.copy()
            high[:, axis] %= self.cells[axis] * 2**level
        return np.concatenate([low, high]), np.repeat([-1.0, 1.0], len(low))


def cubes_inside(nodes: NodeSet) -> Cubes:
    """Return the cubes that fill what nodes are spread in, a layer beside the boundary left out.

    Parameters
    ----------
    nodes : Nodes

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle(), spacing=0.05)
    >>> cubes = cubes_inside(nodes)
    >>> round(float(cubes.sides.prod(axis=1).sum()), 9), len(cubes.faces()[0])
    (0.81, 72)
    """
    x, h, d, cell = nodes.collocation, nodes.local_spacing, nodes.dimension, nodes.cell
    lower, upper = cell.box(np.stack([x.min(axis=0), x.max(axis=0)]))
    cells = np.maximum(1, np.ceil((upper - lower) / h.max() - 1e-9)).astype(np.int64)
    side = (upper - lower) / cells
    halves = np.array(list(itertools.product((0, 1), repeat=d)))
    levels: list[Integers] = []
    index = np.stack(np.meshgrid(*[np.arange(n) for n in cells], indexing="ij"), axis=-1)
    index = index.reshape(-1, d)
    tree = cell.tree(x)
    edge = cell.tree(nodes.boundary) if nodes.boundary_count else None
    while len(index):
        width = side / 2 ** len(levels)
        centre, half = lower + (index + 0.5) * width, float(np.linalg.norm(width)) / 2.0
        gap, near = tree.query(centre)
        fine = width.max() <= h[near] * (1.0 + 1e-9)
        within = fine & (gap < h[near])
        if edge is not None:
            to_edge, at = edge.query(centre)
            way = cell.difference(centre, nodes.boundary[at])
            inside = np.einsum("ij,ij->i", way, nodes.normals[at]) < 0.0
            within &= inside & (to_edge > half + _GAP * h[near])
        levels.append(index[within])
        coarse = index[~fine & (gap < half + 2.0 * h[near])]
        index = (2 * coarse[:, None] + halves).reshape(-1, d)
    return Cubes(lower, side, cells, cell.axes, levels)


def _number(index: Integers, shape: Integers) -> Integers:
    """One number for each cell (n, d) of a grid."""
    if not len(index):
        return index[:, 0]
    return np.asarray(np.ravel_multi_index(tuple(index.T), tuple(shape)), dtype=np.int64)


def _ancestors(index: Integers, axis: int, times: int) -> Integers:
    """The faces so many levels up that faces lie on."""
    return np.asarray(index[index[:, axis] % 2**times == 0] >> times)
