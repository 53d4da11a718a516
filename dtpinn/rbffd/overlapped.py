"""Overlapped RBF-FD: one factorisation gives the weights of all nodes near a stencil's centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats
from dtpinn.geometry.clearance import independent_set
from dtpinn.nodes.walls import Walls
from dtpinn.operators import MultiIndex
from dtpinn.rbffd.block import Block, Operators, Solve, of_rows
from dtpinn.rbffd.degenerate import LIMIT
from dtpinn.rbffd.offcentre import combine, solve_off_centre
from dtpinn.rbffd.progress import Advance
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import Stencils, find_stencils
from dtpinn.rbffd.weights import Weights

ROUNDS = 3
"""How often rejected nodes try another stencil before each gets its own: later ones win little."""


def overlapped(
    points: Floats,
    rows: NDArray[np.integer],
    operators: Operators,
    delta: float,
    *,
    walls: Walls | None = None,
    threads: int,
    advance: Advance | None = None,
) -> Solve:
    """Let stencils serve the rows within (1 - delta) of their radius.

    Parameters
    ----------
    points : (N, d) array
        All nodes.
    rows : (rows,) int array
        The nodes at which derivatives are wanted, as indices into `points`.
    operators : mapping of name to terms
        Coefficients are (1,) or (rows,).
    delta : float
        In (0, 1]; 1 gives each row its own stencil.
    walls : Walls, optional
        What stencils do not reach through.
    threads : int
        The result does not depend on it.
    advance : callable, optional
        Told how many rows are done.

    Returns
    -------
    callable

    Notes
    -----
    V. Shankar, The overlapped radial basis function-finite difference (RBF-FD) method, J. Comput.
    Phys. 342 (2017). Weights grow from the centre of a stencil to its rim, and with them errors: so
    a node is taken only where the local Lebesgue function, the sum of |weights| of each operator,
    is no larger than the same operator's at the centre. What is rejected tries the next stencil.
    """

    def solve(some: NDArray[np.intp], rule: Rule) -> Block:
        # A node that occurs in several rows is solved for once.
        nodes, first, back = np.unique(rows[some], return_index=True, return_inverse=True)
        terms = of_rows(operators, some)
        derivatives = sorted({alpha for one in terms.values() for alpha in one})
        own = find_stencils(points, nodes, rule.stencil_size, walls=walls, threads=threads)
        weights = np.empty((len(nodes), len(derivatives), rule.stencil_size))
        condition, centre = np.empty(len(nodes)), np.arange(len(nodes))
        left = np.ones(len(nodes), dtype=bool)
        for turn in range(ROUNDS + 1):
            reach = (1.0 - delta) * own.radius if turn < ROUNDS else np.zeros(len(nodes))
            centres, owner, served = _cover(own, left, reach)
            found, estimates = solve_off_centre(
                own.take(centres), owner, points[nodes[served]], rule, derivatives, threads=threads
            )
            good = _good(found, estimates, owner, of_rows(terms, first[served]), derivatives)
            taken = served[good]
            weights[taken], condition[taken] = found[good], estimates[good]
            centre[taken], left[taken] = centres[owner[good]], False
            if advance is not None:
                advance(len(taken))
        of_row = centre[back]
        values = {name: combine(weights[back], one, derivatives) for name, one in terms.items()}
        return Block(some, own.take(of_row), Weights(values, condition[back]))

    return solve


def _cover(
    stencils: Stencils, left: NDArray[np.bool_], reach: Floats
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Choose centres, in order, until each row that is left is within reach of one.

    Returns the centres, and pairs: the position of a centre among them, and a row that it serves;
    a centre serves itself first.
    """
    row_of = np.full(len(stencils.points), -1)
    row_of[stencils.members[:, 0]] = np.where(left, np.arange(len(stencils)), -1)
    rows = np.flatnonzero(left)
    others = row_of[stencils.members[rows]]
    offsets = stencils.points[stencils.members[rows]]
    offsets -= offsets[:, :1].copy()
    near = np.einsum("sni,sni->sn", offsets, offsets) <= reach[rows, None] ** 2
    # Earlier rows were asked before: a centre serves itself and later ones.
    at, which = np.nonzero(near & (others > rows[:, None]))
    pairs = np.column_stack([rows[at], others[at, which]])
    is_centre = independent_set(len(stencils), pairs) & left
    pairs = pairs[is_centre[pairs[:, 0]] & ~is_centre[pairs[:, 1]]]
    # The first of the centres that could serve a row does.
    served, first = np.unique(pairs[:, 1], return_index=True)
    centres = np.flatnonzero(is_centre)
    owner = np.concatenate([centres, pairs[first, 0]])
    order = np.argsort(owner, kind="stable")
    owner = np.searchsorted(centres, owner[order])
    return centres, owner, np.concatenate([centres, served])[order]


def _good(
    weights: Floats,
    condition: Floats,
    owner: NDArray[np.intp],
    operators: Operators,
    derivatives: list[MultiIndex],
) -> NDArray[np.bool_]:
    """Tell which places pass the Lebesgue check; centres do, whatever their weights."""
    centre = np.searchsorted(owner, owner)  # owners ascend, and a centre is its first place
    good = condition <= LIMIT
    for terms in operators.values():
        here = np.abs(combine(weights, terms, derivatives)).sum(axis=1)
        at_centre = np.abs(combine(weights[centre], terms, derivatives)).sum(axis=1)
        good &= here <= at_centre
    good[centre] = True
    return good
