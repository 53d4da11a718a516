"""Weights at points that are no nodes: those of the nearest node's stencil."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dtpinn.rbffd.block import Block, Operators, Solve, of_rows
from dtpinn.rbffd.offcentre import solve_off_centre
from dtpinn.rbffd.overlapped import combine
from dtpinn.rbffd.progress import Advance
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import find_stencils
from dtpinn.rbffd.weights import Weights


def elsewhere(
    points: NDArray[np.float64],
    places: NDArray[np.float64],
    operators: Operators,
    *,
    threads: int,
    advance: Advance | None = None,
) -> Solve:
    """Evaluate at any places; those nearest to one node share its stencil and factorisation.

    Parameters
    ----------
    points : (N, d) array
        All nodes.
    places : (rows, d) array
        Where.
    operators : mapping of name to terms
        Coefficients are (1,) or (rows,).
    threads : int
        The result does not depend on it.
    advance : callable, optional
        Told how many stencils are done.

    Returns
    -------
    callable
    """
    nearest = np.asarray(cKDTree(points).query(places, workers=threads)[1], dtype=np.intp)

    def solve(some: NDArray[np.intp], rule: Rule) -> Block:
        nodes, owner = np.unique(nearest[some], return_inverse=True)
        stencils = find_stencils(points, nodes, rule.stencil_size, threads=threads)
        terms = of_rows(operators, some)
        derivatives = sorted({alpha for one in terms.values() for alpha in one})
        weights, condition = solve_off_centre(
            stencils, owner, places[some], rule, derivatives, threads=threads, advance=advance
        )
        values = {name: combine(weights, one, derivatives) for name, one in terms.items()}
        return Block(some, stencils.take(owner), Weights(values, condition))

    return solve
