"""From nodes and operators to sparse differentiation matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dtpinn.geometry.checks import as_indices, whole_number
from dtpinn.rbffd.csr_rows import interleave, to_csr
from dtpinn.rbffd.growing import solve_growing
from dtpinn.rbffd.rule import Rule, choose_rule
from dtpinn.rbffd.stencils import Stencils, check_points
from dtpinn.rbffd.terms import Terms, check_terms, highest_derivative
from dtpinn.rbffd.weights import available_threads

if TYPE_CHECKING:
    from dtpinn.nodes import Nodes


@dataclass(frozen=True)
class Assembly:
    """Differentiation matrices that share their stencils.

    Made by :func:`assemble`.

    Attributes
    ----------
    matrices : dict of name to (rows, N) scipy.sparse.csr_array
        float64, columns sorted, N = Ni + Nb + Ng. All have the same pattern, each its own arrays.
    condition : (rows,) array
        An estimate of the condition number of each stencil's linear system (9), independent of the
        spacing: the place to look at when an operator misbehaves. 1 where nothing was solved.
    rule : Rule
        Degree, exponent and stencil size that were used; a row whose stencil of that size was
        degenerate has a larger one (:func:`assemble` warns of it).
    """

    matrices: dict[str, csr_array]
    condition: NDArray[np.float64]
    rule: Rule


def assemble(
    nodes: Nodes,
    operators: Mapping[str, Terms],
    rows: NDArray[np.integer],
    order: int,
    *,
    exponent: int | None = None,
    stencil_size: int | None = None,
    threads: int | None = None,
) -> Assembly:
    """Assemble RBF-FD matrices for any linear differential operators, one row per evaluation node.

    Parameters
    ----------
    nodes : Nodes
        The cloud; stencils take interior, boundary and ghost nodes alike (``nodes.extended``).
    operators : mapping of name to terms
        Each a sum of derivatives, multi-index -> coefficient (a number or (rows,) array):
        ``{(2, 0): 1.0, (0, 2): 1.0}`` is the Laplacian in 2-D, ``{(0, 0): 1.0}`` the identity.
        All operators of one call share stencils and factorisations, so theta is the highest
        derivative of all; the order of the lower ones is then higher than asked for.
    rows : (rows,) int array
        Where to evaluate: indices into ``nodes.extended``. The boundary is
        ``Ni + np.arange(Nb)``.
    order : int
        p >= 2: the error is O(h^p).
    exponent, stencil_size : int, optional
        In place of the paper's m and n: :func:`choose_rule`.
    threads : int, optional
        All available processors by default. The result does not depend on it, bit for bit. While
        this runs, the BLAS libraries of the whole process are held to one thread.

    Returns
    -------
    Assembly

    Raises
    ------
    TypeError
        If an order, a size, the number of threads or a row is not an integer.
    ValueError
        If an argument is out of its range, if there are fewer nodes than a stencil needs, or if a
        stencil is degenerate; names the operator or the node and its coordinates.

    Warns
    -----
    UserWarning
        If stencils were degenerate and growing them by up to 80% was the cure. That happens on
        regular grids, beside the boundary in the plane from order 6, in space from order 2.

    Notes
    -----
    Equations (8)-(11) of the paper, in shifted and scaled coordinates. The weights differentiate
    polynomials of degree l exactly (to round-off), and the identity is exact: 1 at the node itself.
    The linear systems take a few megabytes per thread, whatever the number of nodes; the rest of
    the memory is a few times the matrices' own.

    Examples
    --------
    The second derivative of x^3 is 6 x:

    >>> from types import SimpleNamespace
    >>> nodes = SimpleNamespace(extended=np.linspace(0.0, 1.0, 21)[:, None])
    >>> built = assemble(nodes, {"second": {(2,): 1.0}}, np.array([0, 10]), order=4)
    >>> second = built.matrices["second"] @ nodes.extended[:, 0] ** 3
    >>> np.allclose(second, [0.0, 3.0], atol=1e-9)
    True
    >>> built.rule.stencil_size, built.matrices["second"].shape
    (13, (2, 21))
    """
    points = check_points(nodes.extended)
    rows = as_indices(rows, "rows", len(points))
    dimension = points.shape[1]
    if not operators:
        raise ValueError("no operators to assemble: give at least one, name -> terms")
    workers = available_threads() if threads is None else whole_number(threads, "threads")
    if workers < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    checked = {
        name: check_terms(name, terms, dimension, len(rows)) for name, terms in operators.items()
    }
    theta = highest_derivative(checked)
    rule = choose_rule(order, theta, dimension, exponent=exponent, stencil_size=stencil_size)
    if theta == 0:  # multiples of the identity: no stencil, no system, one entry per row
        stencils = Stencils(points, rows[:, None], np.ones(len(rows)))
        values = {
            name: terms[(0,) * dimension] * np.ones(len(rows)) for name, terms in checked.items()
        }
        matrices = to_csr(stencils, {name: value[:, None] for name, value in values.items()})
        return Assembly(matrices, np.ones(len(rows)), rule)
    blocks = solve_growing(points, rows, checked, rule, threads=workers)
    parts = [to_csr(block.stencils, block.weights.values) for block in blocks]
    places = [block.rows for block in blocks]
    condition = np.empty(len(rows))
    for block in blocks:
        condition[block.rows] = block.weights.condition
    matrices = {name: interleave([part[name] for part in parts], places) for name in checked}
    return Assembly(matrices, condition, rule)
