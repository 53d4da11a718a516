"""Stencils beside walls: of the nodes near a centre, those that are in its sight.

Around the corner of an L or a hole a stencil could as well go by the length of the way through the
domain; looking straight was found more accurate there, by a tenth to a third, at all orders.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.walls import Walls

LOOKED_AT = 16
"""How many times the size of the stencil are looked at before it is given up."""


@dataclass(frozen=True)
class View:
    """What is seen of a cloud from its nodes.

    Attributes
    ----------
    walls : Walls
        The boundary.
    tree : cKDTree
        Of all nodes.
    pieces : (p,) bool array
        The pieces of the boundary that may be in the way.
    clashes : (m, 2) int array
        Nodes that must not be in one stencil, in both orders.
    """

    walls: Walls
    tree: cKDTree
    pieces: NDArray[np.bool_]
    clashes: Integers

    @classmethod
    def of(cls, walls: Walls, tree: cKDTree, size: int) -> View:
        """Look at the cloud once, for stencils of `size` nodes."""
        pieces = walls.in_the_way(tree, 2 * size)
        clashes = np.zeros((0, 2), dtype=np.int64)
        return cls(walls, tree, pieces, walls.clashes(tree, pieces) if pieces.any() else clashes)

    def disturbed(self, rows: NDArray[np.integer], members: NDArray[np.intp]) -> NDArray[np.intp]:
        """List the rows that have a member out of sight, or two that clash.

        Parameters
        ----------
        rows : (rows,) int array
            The centres.
        members : (rows, n) int array
            The nodes nearest to each.

        Returns
        -------
        (k,) int array
            Ascending.
        """
        if not self.pieces.any():
            return np.zeros(0, dtype=np.intp)
        walls = self.walls
        beside = walls.beside(self.pieces)[walls.stand]
        first = np.flatnonzero(beside[members].any(axis=1))
        rows, members = rows[first], members[first]
        hidden = walls.hidden(walls.eyes[walls.stand[rows]], members, self.pieces)
        bad = hidden | self._clashing(members, np.ones(members.shape, dtype=np.bool_))
        return first[bad.any(axis=1)]

    def nearest(
        self, rows: NDArray[np.integer], size: int, *, bends: bool = True
    ) -> tuple[NDArray[np.intp], Floats]:
        """Find the nearest nodes that are in sight of each row's node.

        Parameters
        ----------
        rows : (rows,) int array
            The centres.
        size : int
            n, the number of nodes of a stencil.
        bends : bool
            Whether those that are seen from others may do where there are too few; if not, no more
            than twice as many nodes as are needed are looked at.

        Returns
        -------
        members : (rows, n) int array
            The centre first, the others by their distance.
        distance : (rows, n) array
            Of each.

        Raises
        ------
        ValueError
            If there are not so many, nor seen from those; names the place.

        Warns
        -----
        UserWarning
            If some are seen from others only, round a bend.
        """
        members = np.empty((len(rows), size), dtype=np.intp)
        distance = np.empty((len(rows), size))
        left, asked = np.arange(len(rows)), 2 * size
        while left.size:
            asked = min(asked, self.tree.n)
            near, far, seen = self._look(rows[left], asked)
            found = seen.sum(axis=1)
            enough = found >= size
            order = np.argsort(~seen[enough], axis=1, kind="stable")[:, :size]
            members[left[enough]] = np.take_along_axis(near[enough], order, axis=1)
            distance[left[enough]] = np.take_along_axis(far[enough], order, axis=1)
            found, left = found[~enough], left[~enough]
            if left.size and not bends:
                raise self._too_few(rows[left], found, size)
            if left.size and (asked == self.tree.n or asked >= LOOKED_AT * size):
                self._round_the_bend(rows, left, asked, members, distance)
                break
            asked *= 2
        return members, distance

    def _round_the_bend(
        self,
        rows: NDArray[np.integer],
        left: NDArray[np.intp],
        count: int,
        members: NDArray[np.intp],
        distance: Floats,
    ) -> None:
        """Fill in the `left` rows, with nodes that are seen from a node in sight; and tell it.

        Nothing beyond a wall is reached so, but around its end.
        """
        size, walls = members.shape[1], self.walls
        near, far, seen = self._look(rows[left], count)
        for k, row in enumerate(left):  # few, where the boundary is near on several sides
            between = near[k, seen[k]][:size]
            onwards = np.tile(near[k], (len(between), 1))
            reached = seen[k] | ~walls.hidden(walls.eyes[walls.stand[between]], onwards).all(axis=0)
            reached &= seen[k] | ~self._clashing(near[k : k + 1], reached[None])[0]
            order = np.argsort(~reached, kind="stable")[:size]
            if not reached[order].all():
                raise self._too_few(rows[left], seen.sum(axis=1), size)
            members[row], distance[row] = near[k, order], far[k, order]
        warnings.warn(
            f"{self._told(rows[left], seen.sum(axis=1), size)}; others were taken round the bend, "
            "and may have little to do with it. Use a finer spacing there, or a lower order",
            stacklevel=2,
        )

    def _look(
        self, rows: NDArray[np.integer], count: int
    ) -> tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]:
        """Return the nearest nodes, their distances, and whether each may be a member."""
        walls = self.walls
        found = self.tree.query(self.tree.data[rows], k=np.arange(1, count + 1))
        distance, near = np.asarray(found[0]), np.asarray(found[1], dtype=np.intp)
        # The centre first, even where it has a twin on the other face of a slit.
        order = np.argsort(near != rows[:, None], axis=1, kind="stable")
        near, distance = (np.take_along_axis(a, order, axis=1) for a in (near, distance))
        seen = ~walls.hidden(walls.eyes[walls.stand[rows]], near)
        seen &= ~self._clashing(near, seen)
        seen[:, 0] = True
        return near, distance, seen

    def _clashing(self, members: NDArray[np.intp], real: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which `real` members clash with another of the same row."""
        result = np.zeros(members.shape, dtype=np.bool_)
        if not len(self.clashes):
            return result
        first, count = np.unique(self.clashes[:, 0], return_counts=True)
        start = np.cumsum(count) - count
        place = np.minimum(np.searchsorted(first, members), len(first) - 1)
        row, k = np.nonzero(real & (first[place] == members))
        # Each of these once for every node that it clashes with.
        place = place[row, k]
        at = np.repeat(np.arange(len(row)), count[place])
        before = np.cumsum(count[place]) - count[place]
        number = np.arange(len(at)) - before[at]
        partner = self.clashes[start[place][at] + number, 1]
        there = np.isin(row[at] * self.tree.n + partner, row * self.tree.n + members[row, k])
        result[row[at[there]], k[at[there]]] = True
        return result

    def _too_few(
        self, rows: NDArray[np.integer], found: NDArray[np.integer], size: int
    ) -> ValueError:
        return ValueError(
            f"{self._told(rows, found, size)}: use a finer spacing there, or ask for a lower order "
            "or a smaller stencil_size"
        )

    def _told(self, rows: NDArray[np.integer], found: NDArray[np.integer], size: int) -> str:
        worst = int(found.argmin())
        place = np.asarray(self.tree.data[rows[worst]]).tolist()
        return (
            f"a stencil needs {size} nodes, and from node {rows[worst]} at {place} only "
            f"{found[worst]} are in sight ({len(rows)} such nodes in all), as the boundary is near "
            "on several sides"
        )
