"""Any linear differential operator as a matrix, alone or with others that share its stencils."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dtpinn.operators import Operator, Terms
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.options import Options
from dtpinn.rbffd.sites import At
from dtpinn.sparse import CSR

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from dtpinn.nodes import Nodes


def operator(
    nodes: Nodes,
    terms: Operator | Terms,
    order: int = 4,
    *,
    at: At = "collocation",
    **options: Unpack[Options],
) -> CSR:
    """Discretise a linear differential operator.

    Parameters
    ----------
    nodes : Nodes
        Ni interior, Nb boundary and Ng ghost nodes.
    terms : operator or mapping
        Made of those in :mod:`dtpinn.operators`, or multi-index -> coefficient.
    order : int
        p >= 2: the error is O(h^p).
    at : str, (rows,) int array or (rows, d) array
        Where to evaluate: "collocation" (X, interior and boundary), "interior", "boundary" or
        "extended" (X~, ghosts too); indices into ``nodes.extended``; or points, which need not be
        nodes. A coefficient given as an array has one entry for each of these, in this order.
    **options
        :class:`~dtpinn.rbffd.Options`.

    Returns
    -------
    CSR
        (rows, Ni+Nb+Ng): values on ``nodes.extended`` to values of the operator.

    Raises
    ------
    TypeError, ValueError
        As :func:`~dtpinn.rbffd.assemble`.

    Examples
    --------
    >>> import torch
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> from dtpinn.rbffd import differential as D
    >>> nodes = place_nodes(Disk(), spacing=0.2, seed=0)
    >>> x, y = torch.tensor(nodes.extended).T
    >>> A = operator(nodes, 2 * D.laplacian + (lambda x: x[:, 1]) * D.partial(0), order=3)
    >>> error = A @ (x**2) - (4 + 2 * x * y)[: nodes.count]
    >>> bool(error.abs().max() < 1e-10)
    True
    """
    return operators(nodes, {"operator": terms}, order, at=at, **options)["operator"]


def operators(
    nodes: Nodes,
    terms: Mapping[str, Operator | Terms],
    order: int = 4,
    *,
    at: At = "collocation",
    **options: Unpack[Options],
) -> dict[str, CSR]:
    """Discretise several operators, with one set of stencils and one factorisation of each.

    Parameters
    ----------
    nodes : Nodes
        The cloud.
    terms : mapping of name to operator
        As in :func:`operator`.
    order : int
        p >= 2: the error of the operator of the highest derivative is O(h^p), others are more
        accurate.
    at, **options
        As in :func:`operator`.

    Returns
    -------
    dict of name to CSR
        (rows, Ni+Nb+Ng) each, all of the same pattern; zeros are stored.

    Raises
    ------
    TypeError, ValueError
        As :func:`~dtpinn.rbffd.assemble`, which also gives the condition numbers of the stencils.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> from dtpinn.rbffd import differential as D
    >>> nodes = place_nodes(Disk(), spacing=0.2, seed=0)
    >>> dx, dy = D.gradient(2)
    >>> both = operators(nodes, {"rotation": dx - dy, "laplacian": D.laplacian}, order=3)
    >>> both["rotation"].nnz == both["laplacian"].nnz == 31 * nodes.count
    True
    """
    built = assemble(nodes, terms, at, order, **options)
    return {name: CSR.from_scipy(matrix) for name, matrix in built.matrices.items()}
