"""The usual operators as matrices, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from dtpinn.arrays import Floats
from dtpinn.geometry.checks import as_points
from dtpinn.operators import Operator
from dtpinn.rbffd import differential
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.operators import operator, operators
from dtpinn.rbffd.options import Options
from dtpinn.rbffd.sites import At
from dtpinn.sparse import CSR

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from dtpinn.nodes import Nodes


def laplacian(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the Laplacian.

    Parameters
    ----------
    nodes : Nodes
        Ni interior, Nb boundary and Ng ghost nodes.
    order : int
        p >= 2: the error is O(h^p).
    at, **options
        As in :func:`~dtpinn.rbffd.operator`.

    Returns
    -------
    CSR
        (Ni+Nb, Ni+Nb+Ng): values on ``nodes.extended`` to Laplacians on ``nodes.collocation``.

    Raises
    ------
    ValueError
        If an argument is out of its range, nodes are too few, or a stencil is degenerate.

    Notes
    -----
    L of section 2.2 of the paper.

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.1, seed=0)
    >>> x, y = torch.tensor(nodes.extended).T
    >>> L = laplacian(nodes, order=3)
    >>> bool(((L @ (x**2 + 2 * y**2)) - 6).abs().max() < 1e-9)
    True
    """
    return operator(nodes, differential.laplacian, order, at=at, **options)


def biharmonic(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the Laplacian of the Laplacian.

    Parameters
    ----------
    nodes, order, at, **options
        As in :func:`~dtpinn.rbffd.operator`.

    Returns
    -------
    CSR
        (Ni+Nb, Ni+Nb+Ng).

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.2, seed=0)
    >>> x, y = torch.tensor(nodes.extended).T
    >>> bool((biharmonic(nodes, order=2) @ (x**4 + x**2 * y**2) - 32).abs().max() < 1e-6)
    True
    """
    return operator(nodes, differential.biharmonic, order, at=at, **options)


def partial(
    nodes: Nodes, *axes: int, order: int = 4, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the derivative along each of `axes` in turn.

    Parameters
    ----------
    nodes, order, at, **options
        As in :func:`~dtpinn.rbffd.operator`.
    *axes : int
        ``partial(nodes, 0, 1)`` gives u_xy.

    Returns
    -------
    CSR
        (Ni+Nb, Ni+Nb+Ng).

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.2, seed=0)
    >>> x, y = torch.tensor(nodes.extended).T
    >>> bool((partial(nodes, 0, 1, order=2) @ (x * y) - 1).abs().max() < 1e-10)
    True
    """
    return operator(nodes, differential.partial(*axes), order, at=at, **options)


def gradient(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> tuple[CSR, ...]:
    """Discretise the first derivative along each axis.

    Parameters
    ----------
    nodes, order, at, **options
        As in :func:`~dtpinn.rbffd.operator`.

    Returns
    -------
    tuple of d CSR
        (Ni+Nb, Ni+Nb+Ng) each: ``torch.stack([D @ u for D in gradient(nodes)], dim=1)``.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.2, seed=0)
    >>> dx, dy = gradient(nodes, order=2, at="boundary")
    >>> dx.shape == (nodes.boundary_count, len(nodes.extended))
    True
    """
    return tuple(operators(nodes, _first_derivatives(nodes), order, at=at, **options).values())


def divergence(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the divergence of a vector field.

    Parameters
    ----------
    nodes, order, at, **options
        As in :func:`~dtpinn.rbffd.operator`.

    Returns
    -------
    CSR
        (Ni+Nb, d (Ni+Nb+Ng)): takes the components one after the other, all nodes of the first,
        then all of the second: ``div @ torch.cat([u, v])``.

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.2, seed=0)
    >>> x, y = torch.tensor(nodes.extended).T
    >>> div = divergence(nodes, order=2)
    >>> bool((div @ torch.cat([x + y, 3 * y]) - 4).abs().max() < 1e-10)
    True
    """
    built = assemble(nodes, _first_derivatives(nodes), at, order, **options)
    return CSR.from_scipy(scipy.sparse.hstack(list(built.matrices.values()), format="csr"))


def interpolation(
    nodes: Nodes,
    points: Floats,
    order: int = 4,
    *,
    on: str = "extended",
    **options: Unpack[Options],
) -> CSR:
    """Interpolate to any points within the cloud.

    Parameters
    ----------
    nodes : Nodes
        The cloud.
    points : (k, d) array
        Points nearest to one node share its stencil. At a node the result is its value, exactly.
    order : int
        p >= 2: the error is O(h^p). Derivatives at such points: ``operator(..., at=points)``.
    on : {"extended", "collocation"}
        What it takes values on: X~, or X alone, where values on ghosts are not known, as those of
        ``problem.solve()``.
    **options
        As in :func:`~dtpinn.rbffd.operator`.

    Returns
    -------
    CSR
        (k, Ni+Nb+Ng), or (k, Ni+Nb) on X.

    Raises
    ------
    ValueError
        If a point lies beyond the cloud, about two spacings from its nearest node; or as
        :func:`~dtpinn.rbffd.operator`. The matrix says, of values on the other set of nodes, what
        to do.

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.2, seed=0)
    >>> points = np.array([[0.1, 0.2], [-0.5, 0.5]])
    >>> x, y = torch.tensor(nodes.extended).T
    >>> (interpolation(nodes, points, order=4) @ (x * y)).numpy().round(12)
    array([ 0.02, -0.25])
    """
    points = as_points(points, nodes.extended.shape[1])
    if on not in ("extended", "collocation"):
        raise ValueError(f"on must be 'extended' (X~) or 'collocation' (X), got {on!r}")
    cloud = nodes if on == "extended" else nodes.with_ghosts_of(np.arange(0))
    matrix = operator(cloud, differential.identity, order, at=points, **options)
    count = matrix.shape[1]
    matrix.takes = (
        f"interpolation acts on values on X~, all {count} nodes with the ghosts; for those on X "
        'alone, as solve() returns them, take interpolation(..., on="collocation"), or '
        "problem.interpolate(values, points)"
        if on == "extended"
        else f"interpolation acts on values on X, {count} nodes without ghosts"
    )
    return matrix


def _first_derivatives(nodes: Nodes) -> dict[str, Operator]:
    dimension = nodes.extended.shape[1]
    return {f"along {k}": d for k, d in enumerate(differential.gradient(dimension))}
