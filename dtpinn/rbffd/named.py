"""The usual operators as matrices, by name.

Each is :func:`~dtpinn.rbffd.operator` or :func:`~dtpinn.rbffd.operators` of the operator of that
name, with the arguments, the rows and columns and the errors of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import scipy.sparse

from dtpinn import operators as differential
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.operators import operator, operators
from dtpinn.rbffd.options import Options
from dtpinn.rbffd.sites import At
from dtpinn.sparse import CSR

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from dtpinn.nodes import Nodes
    from dtpinn.operators import Operator


def laplacian(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the Laplacian: L of section 2.2 of the paper, (Ni+Nb, Ni+Nb+Ng).

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> nodes = place_nodes(Disk(), spacing=0.1, seed=0)
    >>> x, y = torch.tensor(nodes.extended).T
    >>> bool((laplacian(nodes, order=3) @ (x**2 + 2 * y**2) - 6).abs().max() < 1e-9)
    True
    """
    return operator(nodes, differential.laplacian, order, at=at, **options)


def biharmonic(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the Laplacian of the Laplacian, (Ni+Nb, Ni+Nb+Ng)."""
    return operator(nodes, differential.biharmonic, order, at=at, **options)


def partial(
    nodes: Nodes, *axes: int, order: int = 4, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the derivative along each of `axes`: ``partial(nodes, 0, 1)`` gives u_xy."""
    return operator(nodes, differential.partial(*axes), order, at=at, **options)


def gradient(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> tuple[CSR, ...]:
    """Discretise the first derivative along each axis: d matrices (Ni+Nb, Ni+Nb+Ng).

    The gradient of u, (Ni+Nb, d), is ``torch.stack([D @ u for D in gradient(nodes)], dim=1)``.
    """
    return tuple(operators(nodes, _first_derivatives(nodes), order, at=at, **options).values())


def divergence(
    nodes: Nodes, order: int = 4, *, at: At = "collocation", **options: Unpack[Options]
) -> CSR:
    """Discretise the divergence of a vector field, (Ni+Nb, d (Ni+Nb+Ng)).

    It takes the components one after the other, all nodes of the first, then all of the second.

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


def _first_derivatives(nodes: Nodes) -> dict[str, Operator]:
    axes = differential.gradient(nodes.extended.shape[1])
    return {axis.name: axis for axis in axes}
