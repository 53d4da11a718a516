"""From nodes and operators to sparse differentiation matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import whole_number
from dtpinn.operators import Operator, Terms
from dtpinn.rbffd.block import Block, Find, Operators, Solve, centred
from dtpinn.rbffd.csr_rows import folded, interleave, to_csr
from dtpinn.rbffd.elsewhere import elsewhere
from dtpinn.rbffd.growing import solve_growing
from dtpinn.rbffd.nearest import nearest_in_sight
from dtpinn.rbffd.options import Degenerate, Exponent
from dtpinn.rbffd.overlapped import overlapped
from dtpinn.rbffd.parallel import available_threads
from dtpinn.rbffd.progress import Advance, stencil_bar
from dtpinn.rbffd.rule import Rule, choose_rule
from dtpinn.rbffd.sites import At, Sites, find_sites
from dtpinn.rbffd.stencils import Stencils
from dtpinn.rbffd.terms import highest_derivative, terms_of
from dtpinn.rbffd.uneven import spread_out
from dtpinn.rbffd.unrolled import unrolled

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
    condition: Floats
    rule: Rule

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{name} {m.shape[0]} x {m.shape[1]}" for name, m in self.matrices.items()
        )
        return f"Assembly({sizes}, condition up to {self.condition.max():.1e}, {self.rule})"


def assemble(
    nodes: Nodes,
    operators: Mapping[str, Operator | Terms],
    at: At,
    order: int,
    *,
    exponent: Exponent = None,
    stencil_size: int | None = None,
    overlap: float | None = None,
    degenerate: Degenerate = "grow",
    threads: int | None = None,
    progress: bool | None = None,
) -> Assembly:
    """Assemble RBF-FD matrices for any linear differential operators, one row per evaluation point.

    Parameters
    ----------
    nodes : Nodes
        The cloud; stencils take interior, boundary and ghost nodes alike (``nodes.extended``).
    operators : mapping of name to operator
        Each made of those in :mod:`dtpinn.operators`, or a sum of derivatives, multi-index ->
        coefficient (a number, a (rows,) array or a function of the points):
        ``{(2, 0): 1.0, (0, 2): 1.0}`` is the Laplacian in 2-D, ``{(0, 0): 1.0}`` the identity.
        All operators of one call share stencils and factorisations, so theta is the highest
        derivative of all; the order of the lower ones is then higher than asked for.
    at : str, (rows,) int array or (rows, d) array
        Where to evaluate: "collocation" (interior and boundary), "interior", "boundary" or
        "extended" (ghosts too); indices into ``nodes.extended``; or any points, whose weights are
        those of the nearest node's stencil.
    order : int
        p >= 2: the error is O(h^p).
    exponent, stencil_size, overlap, degenerate, threads, progress : optional
        :class:`~dtpinn.rbffd.Options`.

    Returns
    -------
    Assembly

    Raises
    ------
    TypeError
        If an order, a size, the number of threads or a row is not an integer, or an operator is
        none.
    ValueError
        If an argument is out of its range, if there are fewer nodes than a stencil needs, or fewer
        in sight of a node, or if a stencil is degenerate; names the operator or the node and its
        coordinates.

    Warns
    -----
    UserWarning
        If stencils were degenerate and growing them by up to 80% was the cure. That happens on
        regular grids, beside the boundary in the plane from order 6, in space from order 2.

    Notes
    -----
    A stencil has the nearest nodes in sight of its centre, none beyond a wall, a slit or a corner
    (:class:`~dtpinn.nodes.walls.Walls`).

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
    sites = find_sites(nodes, at)
    if not operators:
        raise ValueError("no operators to assemble: give at least one, name -> terms")
    _check_options(overlap, degenerate)
    workers = available_threads() if threads is None else whole_number(threads, "threads")
    if workers < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    checked = {name: terms_of(name, operator, sites) for name, operator in operators.items()}
    theta = highest_derivative(checked)
    rule = choose_rule(order, theta, sites.dimension, exponent=exponent, stencil_size=stencil_size)
    if theta == 0 and sites.rows is not None:
        return _identities(sites, sites.rows, checked, rule)

    def blocks_of(sites: Sites) -> list[Block]:
        with stencil_bar(len(sites), progress) as advance:
            solve = _way(sites, checked, overlap, workers, advance)
            spread = None
            if overlap in (None, 1.0):
                way = partial(_way, sites, checked, overlap, workers, None)
                spread = spread_out(
                    sites.cloud, _centres(sites, workers), way, walls=sites.walls, threads=workers
                )
            grow = degenerate == "grow"
            return solve_growing(solve, len(sites), rule, grow=grow, spread=spread)

    sites, blocks = unrolled(sites, rule, blocks_of)
    parts = [to_csr(block.stencils, block.weights.values) for block in blocks]
    places = [block.rows for block in blocks]
    condition = np.empty(len(sites))
    for block in blocks:
        condition[block.rows] = block.weights.condition
    matrices = {
        name: folded(interleave([part[name] for part in parts], places), sites.origin)
        for name in checked
    }
    return Assembly(matrices, condition, rule)


def _check_options(overlap: object, degenerate: object) -> None:
    valid = isinstance(overlap, (float, int, np.floating)) and 0.0 < overlap <= 1.0
    if overlap is not None and not valid:
        raise ValueError(
            f"overlap must be within (0, 1], got {overlap!r}: stencils serve the nodes within "
            "(1 - overlap) of their radius; leave it out for a stencil per row"
        )
    if degenerate not in ("grow", "error"):
        raise ValueError(f"degenerate must be 'grow' or 'error', got {degenerate!r}")


def _identities(sites: Sites, rows: Integers, operators: Operators, rule: Rule) -> Assembly:
    """Assemble multiples of the identity: no stencil, no system, one entry per row."""
    stencils = Stencils(sites.cloud, rows[:, None], np.ones(len(rows)))
    values = {
        name: (terms[(0,) * sites.dimension] * np.ones(len(rows)))[:, None]
        for name, terms in operators.items()
    }
    return Assembly(to_csr(stencils, values), np.ones(len(rows)), rule)


def _centres(sites: Sites, threads: int) -> NDArray[np.integer]:
    """The node of each row, or the one nearest to its place."""
    if sites.rows is not None:
        return sites.rows
    return nearest_in_sight(sites.cloud, sites.points, sites.walls, threads=threads)[1]


def _way(
    sites: Sites,
    operators: Operators,
    overlap: float | None,
    threads: int,
    advance: Advance | None,
    find: Find | None = None,
) -> Solve:
    """Choose how rows get their weights."""
    cloud, rows, walls = sites.cloud, sites.rows, sites.walls
    if rows is None:
        return elsewhere(
            cloud, sites.points, operators, walls=walls, threads=threads, advance=advance, find=find
        )
    if overlap in (None, 1.0):
        return centred(
            cloud, rows, operators, walls=walls, threads=threads, advance=advance, find=find
        )
    return overlapped(
        cloud, rows, operators, overlap, walls=walls, threads=threads, advance=advance
    )
