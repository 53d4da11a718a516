"""Stencils that determine no weights, and what to tell the user about them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import Stencils

LIMIT = 1e15
"""The condition number above which a stencil is called degenerate."""


def degenerate_rows(condition: Floats) -> NDArray[np.intp]:
    """List the rows whose linear system is singular to working precision.

    Parameters
    ----------
    condition : (rows,) array
        Condition estimates, inf where singular.

    Returns
    -------
    (bad,) int array
        Ascending.

    Notes
    -----
    Measured, orders 2 to 6 in 1-D to 3-D: quasi-uniform nodes 1e3..1e9 (fourth derivatives: 1e11),
    uniformly random ones up to 1e14, singular systems 1e17 and more.

    Examples
    --------
    >>> degenerate_rows(np.array([1e5, 1e17, 1e9, np.inf]))
    array([1, 3])
    """
    return np.flatnonzero(~(condition <= LIMIT))


def degenerate_error(
    stencils: Stencils,
    condition: Floats,
    bad: NDArray[np.intp],
    rule: Rule,
    tried: Sequence[int],
    *,
    grow: bool = True,
) -> ValueError:
    """Make the error that says which stencil is degenerate, why, and what to do.

    Parameters
    ----------
    stencils : Stencils
        Of the rule's size.
    condition : (rows,) array
        Condition estimates, inf where singular.
    bad : (k,) int array
        Rows for which no larger stencil was better.
    rule : Rule
        For the message.
    tried : sequence of int
        The larger sizes.
    grow : bool
        Whether larger sizes were to be tried; if not, that is a remedy.

    Returns
    -------
    ValueError
        Names the worst stencil's node and coordinates, the two nodes that nearly coincide if that
        is the reason, and the remedy.

    Examples
    --------
    Nine nodes on a line in the plane say nothing about d/dy:

    >>> from dtpinn.rbffd.rule import choose_rule
    >>> from dtpinn.rbffd.stencils import find_stencils
    >>> line = np.stack([np.linspace(0.0, 1.0, 9), np.zeros(9)], axis=1)
    >>> rule = choose_rule(2, derivatives=1, dimension=2, stencil_size=9)
    >>> stencils = find_stencils(line, np.array([4]), 9)
    >>> str(degenerate_error(stencils, np.array([np.inf]), np.array([0]), rule, []))[:53]
    'the stencil of node 4 at [0.5, 0.0] is degenerate (co'
    """
    worst = bad[np.argmax(condition[bad])]
    node = stencils.members[worst, 0]
    return ValueError(
        f"the stencil of node {node} at {stencils.points[node].tolist()} is degenerate "
        f"(condition number {condition[worst]:.1e}, limit {LIMIT:.0e}; "
        f"{degenerate_rows(condition).size} of {len(stencils)} stencils are): "
        f"{_reason(stencils, int(worst), rule, tried)}" + ("" if grow else ", or degenerate='grow'")
    )


def _reason(stencils: Stencils, row: int, rule: Rule, tried: Sequence[int]) -> str:
    members = stencils.members[row]
    points = stencils.points[members]
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    distance[np.diag_indices(len(members))] = np.inf
    i, j = np.unravel_index(np.argmin(distance), distance.shape)
    near = distance[i, j] / stencils.radius[row]
    if near < 1e-3:
        return (
            f"its nodes {members[i]} and {members[j]} nearly coincide at {points[i].tolist()}, "
            f"{near:.1e} of the stencil's radius apart. Remove one of the two"
        )
    larger = f"; nor do its {tried[-1]} nearest nodes determine weights" if tried else ""
    return (
        f"its {len(members)} nodes, within {stencils.radius[row]:.3g}, lie (almost) on a curve or "
        f"surface of degree {rule.degree} or less, such as a line, a circle or the lines of a "
        f"regular grid{larger}. Scatter the nodes, or ask for a lower order"
        f"{' or a much larger stencil_size' if tried else ''}"
    )
