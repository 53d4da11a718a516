"""Stencils: which nodes a derivative at a node is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats
from dtpinn.checks import as_indices, as_points, check_finite
from dtpinn.nodes.walls import Walls
from dtpinn.rbffd.visible import View


@dataclass(frozen=True)
class Stencils:
    """The nearest neighbours of some nodes of a cloud.

    Made by :func:`find_stencils`.

    Attributes
    ----------
    points : (N, d) array
        The whole cloud.
    members : (rows, n) int array
        Indices into `points`. Column 0 is the centre, the others follow by distance.
    radius : (rows,) array
        The distance from the centre to the farthest member.
    """

    points: Floats
    members: NDArray[np.intp]
    radius: Floats

    def __len__(self) -> int:
        return len(self.members)

    def take(self, which: NDArray[np.intp]) -> Stencils:
        """Return some of the stencils.

        Parameters
        ----------
        which : (k,) int array
            Rows of `members`.

        Returns
        -------
        Stencils
        """
        return Stencils(self.points, self.members[which], self.radius[which])

    def offsets(self, part: slice) -> Floats:
        """Return the members' coordinates, shifted and scaled: centre at 0, farthest at 1.

        Parameters
        ----------
        part : slice
            Which stencils.

        Returns
        -------
        (stencils, n, d) array
            (x_k - x_1) / radius.

        Notes
        -----
        In these coordinates the linear system (9) does not depend on the spacing of the nodes: its
        condition number stays what the geometry of the stencil makes it, where in global
        coordinates it grows like a power of 1/h.
        """
        members = self.members[part]
        offsets = np.take(self.points, members, axis=0)  # several times faster than an index
        offsets -= self.points[members[:, 0]][:, None, :]
        offsets /= self.radius[part, None, None]
        return offsets


def find_stencils(
    points: Floats,
    rows: NDArray[np.integer],
    size: int,
    *,
    walls: Walls | None = None,
    bends: bool = True,
    threads: int = 1,
) -> Stencils:
    """Find the nearest neighbours of each row's node, the node itself first.

    Beside walls they are the nearest of those in its sight.

    Parameters
    ----------
    points : (N, d) array
        All nodes, of every kind: a stencil may take any of them.
    rows : (rows,) int array
        The nodes at which derivatives are wanted, as indices into `points`.
    size : int
        n, the number of nodes of a stencil, the centre included.
    walls : Walls, optional
        The boundary, where it is known.
    bends : bool
        Whether nodes round a bend may do, with a warning, where too few are in sight.
    threads : int
        For the search. The stencils do not depend on it.

    Returns
    -------
    Stencils

    Raises
    ------
    TypeError
        If `rows` does not hold integers.
    ValueError
        If `points` is not (N, d) and finite, if `rows` does not index it, if there are fewer nodes
        than a stencil needs or than a node reaches, or if two nodes coincide.

    Examples
    --------
    >>> cloud = np.array([[0.0], [1.0], [3.0], [7.0]])
    >>> stencils = find_stencils(cloud, np.array([0, 2]), 3)
    >>> stencils.members
    array([[0, 1, 2],
           [2, 1, 0]])
    >>> stencils.radius
    array([3., 3.])
    """
    points = check_points(points)
    rows = as_indices(rows, "rows", len(points))
    if len(points) < size:
        raise ValueError(
            f"a stencil needs {size} nodes and there are only {len(points)}: place more nodes "
            f"(a smaller spacing), or ask for a lower order or a smaller stencil_size"
        )
    # k as a list keeps two dimensions when size is 1.
    tree = cKDTree(points)
    found = tree.query(points[rows], k=np.arange(1, size + 1), workers=threads)
    distance, members = np.asarray(found[0]), np.asarray(found[1], dtype=np.intp)
    if walls is not None:
        view = View.of(walls, tree, size)
        some = view.disturbed(rows, members)
        members[some], distance[some] = view.nearest(rows[some], size, bends=bends)
    _check_centres(points, rows, members)
    return Stencils(points, members, distance.max(axis=1))


def check_points(points: Floats) -> Floats:
    """Return the cloud as a contiguous float64 array, or raise ValueError.

    Parameters
    ----------
    points : (N, d) array
        d is 1, 2 or 3.

    Returns
    -------
    (N, d) array

    Raises
    ------
    ValueError
        If the shape is another one or a coordinate is not finite; names the nodes.

    Examples
    --------
    >>> check_points(np.array([[0.0, np.nan]]))
    Traceback (most recent call last):
    ...
    ValueError: nodes must be finite; it is NaN or infinite in row 0
    """
    cloud = as_points(points, name="nodes")
    check_finite(cloud, "nodes")
    return np.ascontiguousarray(cloud)


def _check_centres(points: Floats, rows: NDArray[np.intp], members: NDArray[np.intp]) -> None:
    """A node whose nearest node is not itself has a twin at the same place."""
    # Of two coinciding nodes either may come first, so the second column is looked at as well.
    neighbours = members[:, :2]
    twins = (points[neighbours] == points[rows][:, None, :]).all(axis=2) & (
        neighbours != rows[:, None]
    )
    bad = np.flatnonzero(twins.any(axis=1))
    if bad.size:
        row = bad[0]
        twin = neighbours[row][twins[row]][0]
        raise ValueError(
            f"nodes {rows[row]} and {twin} coincide at {points[twin].tolist()} "
            f"({bad.size} of {len(rows)} rows have such a twin): remove one of the two"
        )
