"""The two matrices of the paper: L, the Laplacian, and B, the boundary operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dtpinn.geometry.checks import as_floats
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.csr_rows import interleave
from dtpinn.rbffd.terms import Terms, boundary_terms, laplacian_terms
from dtpinn.sparse import CSR

if TYPE_CHECKING:
    from dtpinn.nodes import Nodes


def laplacian(
    nodes: Nodes,
    order: int = 4,
    *,
    exponent: int | None = None,
    stencil_size: int | None = None,
) -> CSR:
    """Discretise the Laplacian at the interior and boundary nodes.

    Parameters
    ----------
    nodes : Nodes
        Ni interior, Nb boundary and Ng ghost nodes.
    order : int
        p >= 2: the error is O(h^p).
    exponent, stencil_size : int, optional
        In place of the paper's m and n: :func:`~dtpinn.rbffd.choose_rule`.

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
    rows = np.arange(len(nodes.interior) + len(nodes.boundary))
    terms = laplacian_terms(nodes.interior.shape[1])
    return CSR.from_scipy(_assemble(nodes, terms, rows, order, exponent, stencil_size))


def boundary_operator(
    nodes: Nodes,
    alpha: float | NDArray[np.float64] = 1.0,
    beta: float | NDArray[np.float64] = 1.0,
    order: int = 4,
    *,
    exponent: int | None = None,
    stencil_size: int | None = None,
) -> CSR:
    """Discretise alpha n . grad u + beta u at the boundary nodes.

    Parameters
    ----------
    nodes : Nodes
        Ni interior, Nb boundary and Ng ghost nodes, with outward unit normals.
    alpha, beta : float or (Nb,) array
        Dirichlet: alpha = 0; Neumann: beta = 0. The part beta u is exact: beta at the node itself.
        A row where alpha = 0 has this one entry.
    order : int
        p >= 2: the error is O(h^p).
    exponent, stencil_size : int, optional
        In place of the paper's m and n: :func:`~dtpinn.rbffd.choose_rule`.

    Returns
    -------
    CSR
        (Nb, Ni+Nb+Ng): values on ``nodes.extended`` to boundary data on ``nodes.boundary``.

    Raises
    ------
    ValueError
        If alpha or beta is neither a finite number nor (Nb,) of them, if both vanish at a node, if
        an order is out of its range, nodes are too few, or a stencil is degenerate.

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
    count = len(nodes.boundary)
    alpha = _coefficient("alpha", alpha, count)
    beta = _coefficient("beta", beta, count)
    empty = np.flatnonzero((alpha == 0.0) & (beta == 0.0))
    if empty.size:
        where = nodes.boundary[empty[0]].tolist()
        raise ValueError(
            f"alpha and beta are both 0 at boundary node {empty[0]} at {where} ({empty.size} of "
            f"{count}): there is no condition; make one of them nonzero"
        )
    derived, fixed = np.flatnonzero(alpha), np.flatnonzero(alpha == 0.0)
    blocks = []
    if derived.size:
        terms = boundary_terms(nodes.normals[derived], alpha[derived], beta[derived])
        rows = len(nodes.interior) + derived
        blocks.append(_assemble(nodes, terms, rows, order, exponent, stencil_size))
    if fixed.size:  # Dirichlet: the value itself
        identity = {(0,) * nodes.boundary.shape[1]: beta[fixed]}
        rows = len(nodes.interior) + fixed
        blocks.append(_assemble(nodes, identity, rows, order, exponent, stencil_size))
    return CSR.from_scipy(interleave(blocks, [part for part in (derived, fixed) if part.size]))


def _assemble(
    nodes: Nodes,
    terms: Terms,
    rows: NDArray[np.intp],
    order: int,
    exponent: int | None,
    stencil_size: int | None,
) -> csr_array:
    built = assemble(
        nodes, {"operator": terms}, rows, order, exponent=exponent, stencil_size=stencil_size
    )
    return built.matrices["operator"]


def _coefficient(name: str, value: float | NDArray[np.float64], count: int) -> NDArray[np.float64]:
    array = as_floats(value, name, f"a number or an array of {count}, one per boundary node")
    if array.shape not in ((), (count,)):
        raise ValueError(
            f"{name} must be a number or have the shape ({count},), one per boundary node, "
            f"got {array.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise ValueError(f"{name} must be finite, got {array.ravel()[bad[0]]} at entry {bad[0]}")
    return np.broadcast_to(array, (count,))
