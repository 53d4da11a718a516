"""Where operators are evaluated: at nodes of a set, at some nodes, or at any points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_floats, as_indices, as_points, check_finite
from dtpinn.nodes.unfolding import real_first, unfold
from dtpinn.rbffd.stencils import check_points

if TYPE_CHECKING:
    from dtpinn.nodes import Nodes
    from dtpinn.nodes.walls import Walls

At: TypeAlias = str | NDArray[np.integer] | Floats
"""A name in :data:`PLACES`, (rows,) indices into ``nodes.extended``, or (rows, d) points."""

PLACES = ("collocation", "interior", "boundary", "extended")


@dataclass(frozen=True)
class Sites:
    """Places at which operators are evaluated, one a row: a :class:`~dtpinn.operators.Place`.

    Made by :func:`find_sites`.

    Attributes
    ----------
    cloud : (N, d) array
        All nodes, ``nodes.extended``.
    points : (rows, d) array
        The places.
    rows : (rows,) int array or None
        Which nodes they are; None where they are any points.
    nodes : Nodes
        For their normals.
    walls : Walls or None
        The boundary of the cloud, where it has one.
    origin : (N,) int array or None
        Of a cloud with images around the cell of periodic nodes: which node each is.
    """

    cloud: Floats
    points: Floats
    rows: Integers | None
    nodes: Nodes
    walls: Walls | None = None
    origin: Integers | None = None

    def __len__(self) -> int:
        return len(self.points)

    @property
    def dimension(self) -> int:
        """The dimension of space, d."""
        return int(self.points.shape[1])

    def around(self, reach: float) -> Sites:
        """Return the same places in a cloud with the images within ``reach`` of the cell.

        The nodes themselves stay the first. Stencils of periodic nodes are found and solved there,
        where everything is as far apart as it looks, and go back to the nodes by their origin.
        """
        unfolded, origin = unfold(self.nodes, reach)
        order = real_first(unfolded, self.nodes)
        walls = unfolded.walls
        return replace(
            self,
            cloud=np.ascontiguousarray(unfolded.extended[order]),
            walls=None if walls is None else walls.in_order(order),
            origin=origin[order],
        )

    def normals(self) -> Floats:
        """Return the outward unit normals, (rows, d).

        Raises
        ------
        ValueError
            If a row is no boundary node; names the first.
        """
        if self.rows is None:
            raise ValueError(
                "the normal derivative exists at boundary nodes, not at any points; "
                "use at='boundary', or directional(v) with directions of your own"
            )
        first, count = len(self.nodes.interior), len(self.nodes.boundary)
        inward = self.rows - first
        bad = np.flatnonzero((inward < 0) | (inward >= count))
        if bad.size:
            raise ValueError(
                f"the normal derivative exists at boundary nodes, {first} to {first + count - 1}; "
                f"row {bad[0]} is node {self.rows[bad[0]]} ({bad.size} of {len(self)} rows are "
                "none). Use at='boundary'"
            )
        normals: Floats = self.nodes.normals[inward]
        return normals

    def evaluate(self, value: Any, shape: tuple[int, ...], name: str) -> Floats:
        """Return a coefficient as numbers: the same everywhere, or one for each row.

        Parameters
        ----------
        value : number, array or callable
            As a user wrote it.
        shape : tuple of int
            Of one coefficient: () or (d,).
        name : str
            What messages call it.

        Returns
        -------
        array of shape `shape` or (rows, *shape)

        Raises
        ------
        ValueError
            If it has another shape, or holds no numbers.
        """
        expected = (len(self), *shape)
        text = f"a number, shape {expected}" if not shape else f"of shape {shape}, {expected}"
        text += " or a function of the points that returns such"
        array = as_floats(value(self.points) if callable(value) else value, name, text)
        if array.shape not in (shape, expected):
            raise ValueError(f"{name} must be {text}; got shape {array.shape}")
        return array


def find_sites(nodes: Nodes, at: At) -> Sites:
    """Find out where a user wants operators evaluated.

    Parameters
    ----------
    nodes : Nodes
        The cloud.
    at : str, (rows,) int array or (rows, d) array
        "collocation" (interior and boundary), "interior", "boundary" or "extended" (ghosts too);
        indices into ``nodes.extended``; or points, which need not be nodes.

    Returns
    -------
    Sites

    Raises
    ------
    TypeError
        If one-dimensional rows do not hold integers.
    ValueError
        If there is no such place, an index is out of range, or points are not (rows, d) and finite.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> nodes = SimpleNamespace(extended=np.array([[0.0], [1.0], [3.0]]))
    >>> find_sites(nodes, np.array([2, 0])).points.ravel()
    array([3., 0.])
    >>> find_sites(nodes, "edge")
    Traceback (most recent call last):
    ...
    ValueError: at must be 'collocation', 'interior', 'boundary', 'extended', indices of nodes \
(rows,) or points (rows, 1); got 'edge'
    """
    cloud = check_points(nodes.extended)
    if isinstance(at, str):
        if at not in PLACES:
            raise ValueError(
                f"at must be {', '.join(map(repr, PLACES))}, indices of nodes (rows,) or points "
                f"(rows, {cloud.shape[1]}); got {at!r}"
            )
        rows = _named(nodes, at)
    elif np.ndim(at) == 2:
        points = as_points(at, cloud.shape[1])
        check_finite(points, "points")
        cell = getattr(nodes, "cell", None)
        points = points if cell is None else cell.wrap(points)
        return Sites(cloud, points, None, nodes, getattr(nodes, "walls", None))
    else:
        rows = as_indices(at, "rows", len(cloud))
    return Sites(cloud, cloud[rows], rows, nodes, getattr(nodes, "walls", None))


def _named(nodes: Nodes, at: str) -> Integers:
    if at == "extended":
        return np.arange(len(nodes.extended))
    ni, nb = len(nodes.interior), len(nodes.boundary)
    first, last = {"collocation": (0, ni + nb), "interior": (0, ni), "boundary": (ni, ni + nb)}[at]
    return np.arange(first, last)
