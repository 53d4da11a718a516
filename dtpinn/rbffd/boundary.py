"""B of the paper: alpha n . grad u + beta u at the boundary nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dtpinn.arrays import Floats
from dtpinn.geometry.checks import as_floats
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.csr_rows import interleave
from dtpinn.rbffd.differential import identity, normal
from dtpinn.rbffd.options import Options
from dtpinn.sparse import CSR

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from dtpinn.nodes import Nodes

Value: TypeAlias = float | Floats | Callable[[Floats], ArrayLike]
"""A number, one per boundary node, or a function of the points: (k, d) NumPy array -> (k,)."""


def boundary_operator(
    nodes: Nodes,
    alpha: Value | Mapping[str, Value] = 1.0,
    beta: Value | Mapping[str, Value] = 1.0,
    order: int = 4,
    **options: Unpack[Options],
) -> CSR:
    """Discretise alpha n . grad u + beta u at the boundary nodes.

    Parameters
    ----------
    nodes : Nodes
        Ni interior, Nb boundary and Ng ghost nodes, with outward unit normals.
    alpha, beta : float, (Nb,) array, callable, or mapping of boundary part to such
        Dirichlet: alpha = 0; Neumann: beta = 0. The part beta u is exact: beta at the node itself.
        A row where alpha = 0 has this one entry. A function takes the points, (k, d) array ->
        (k,). A mapping has an entry for every name in ``nodes.parts``, and its arrays one number
        for each node of the part: ``{"wall": 0.0, "inlet": 1.0}``. A corner counts for the part
        that ``nodes.part`` gives it, and its row is with the mean normal, ``nodes.normals``.
    order : int
        p >= 2: the error is O(h^p).
    **options
        :class:`~dtpinn.rbffd.Options`.

    Returns
    -------
    CSR
        (Nb, Ni+Nb+Ng): values on ``nodes.extended`` to boundary data on ``nodes.boundary``.

    Raises
    ------
    ValueError
        If alpha or beta is neither finite numbers nor Nb of them, if parts are missing or unknown,
        if both vanish at a node, if an order is out of its range, nodes are too few, or a stencil
        is degenerate.

    Notes
    -----
    B of section 2.2 of the paper, for the boundary condition of equation (2).

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.1, seed=0)
    >>> x, y = torch.tensor(nodes.extended).T
    >>> B = boundary_operator(nodes, alpha=1.0, beta=2.0, order=3)

    On the unit circle the normal derivative of x^2 + y^2 is 2:

    >>> bool(((B @ (x**2 + y**2)) - 4).abs().max() < 1e-9)
    True
    """
    a = _on_boundary("alpha", alpha, nodes)
    b = _on_boundary("beta", beta, nodes)
    empty = np.flatnonzero((a == 0.0) & (b == 0.0))
    if empty.size:
        where = nodes.boundary[empty[0]].tolist()
        raise ValueError(
            f"alpha and beta are both 0 at boundary node {empty[0]} at {where} ({empty.size} of "
            f"{len(a)}): there is no condition; make one of them nonzero"
        )
    # Dirichlet rows are the value itself, without a stencil.
    derived, fixed = np.flatnonzero(a), np.flatnonzero(a == 0.0)
    blocks = []
    for rows, terms in (
        (derived, a[derived] * normal + b[derived] * identity),
        (fixed, b[fixed] * identity),
    ):
        if rows.size:
            at = len(nodes.interior) + rows
            built = assemble(nodes, {"boundary operator": terms}, at, order, **options)
            blocks.append(built.matrices["boundary operator"])
    return CSR.from_scipy(interleave(blocks, [rows for rows in (derived, fixed) if rows.size]))


def _on_boundary(name: str, value: Value | Mapping[str, Value], nodes: Nodes) -> Floats:
    """Return a coefficient as (Nb,) finite numbers."""
    if not isinstance(value, Mapping):
        return _numbers(name, value, nodes.boundary, "boundary node")
    if set(value) != set(nodes.parts):
        raise ValueError(
            f"{name} must name each part of the boundary, {sorted(nodes.parts)}; got {list(value)}"
        )
    result = np.empty(len(nodes.boundary))
    for part, of_part in value.items():
        rows = np.flatnonzero(nodes.part == nodes.parts.index(part))
        result[rows] = _numbers(f"{name}[{part!r}]", of_part, nodes.boundary[rows], "node of it")
    return result


def _numbers(name: str, value: Value, points: Floats, each: str) -> Floats:
    count = len(points)
    array = as_floats(
        value(points) if callable(value) else value,
        name,
        f"a number or an array of {count}, one per {each}",
    )
    if array.shape not in ((), (count,)):
        raise ValueError(
            f"{name} must be a number or have the shape ({count},), one per {each}, "
            f"got {array.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise ValueError(f"{name} must be finite, got {array.ravel()[bad[0]]} at entry {bad[0]}")
    return np.broadcast_to(array, (count,))
