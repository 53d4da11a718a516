"""Values at any points within a cloud, from values at its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.checks import as_points
from dtpinn.operators import identity
from dtpinn.rbffd.operators import operator
from dtpinn.rbffd.options import Options
from dtpinn.sparse import CSR

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from dtpinn.nodes import Nodes


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
    matrix = operator(cloud, identity, order, at=points, **options)
    count = matrix.shape[1]
    matrix.takes = (
        f"interpolation acts on values on X~, all {count} nodes with the ghosts; for those on X "
        'alone, as solve() returns them, take interpolation(..., on="collocation"), or '
        "problem.interpolate(values, points)"
        if on == "extended"
        else f"interpolation acts on values on X, {count} nodes without ghosts"
    )
    return matrix
