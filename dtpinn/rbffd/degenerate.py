"""Stencils that determine no weights, and what to tell the user about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import Stencils

LIMIT = 1e15
"""The condition number above which a stencil is called degenerate."""


def check_condition(stencils: Stencils, condition: NDArray[np.float64], rule: Rule) -> None:
    """Raise ValueError if a stencil's linear system is singular to working precision.

    Parameters
    ----------
    stencils : Stencils
        Where the nodes are.
    condition : (rows,) array
        Condition estimates, inf where singular.
    rule : Rule
        For the message.

    Raises
    ------
    ValueError
        Names the worst stencil's node and coordinates, the two nodes that nearly coincide if that
        is the reason, and the remedy.

    Notes
    -----
    Measured, orders 2 to 6 in 1-D to 3-D: quasi-uniform nodes 1e3..1e9 (fourth derivatives: 1e11),
    uniformly random ones up to 1e14, singular systems 1e17 and more.

    Examples
    --------
    Five nodes on a line in the plane say nothing about d/dy:

    >>> from dtpinn.rbffd.rule import choose_rule
    >>> from dtpinn.rbffd.stencils import find_stencils
    >>> line = np.stack([np.linspace(0.0, 1.0, 9), np.zeros(9)], axis=1)
    >>> rule = choose_rule(2, derivatives=1, dimension=2, stencil_size=9)
    >>> stencils = find_stencils(line, np.array([4]), 9)
    >>> check_condition(stencils, np.array([np.inf]), rule)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: the stencil of node 4 at [0.5, 0.0] is degenerate ...
    """
    bad = np.flatnonzero(~(condition <= LIMIT))
    if bad.size == 0:
        return
    worst = bad[np.argmax(condition[bad])]
    node = stencils.members[worst, 0]
    raise ValueError(
        f"the stencil of node {node} at {stencils.points[node].tolist()} is degenerate "
        f"(condition number {condition[worst]:.1e}, limit {LIMIT:.0e}; {bad.size} of "
        f"{len(stencils)} stencils are): {_reason(stencils, int(worst), rule)}"
    )


def _reason(stencils: Stencils, row: int, rule: Rule) -> str:
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
    return (
        f"its {len(members)} nodes, within {stencils.radius[row]:.3g}, lie (almost) on a curve or "
        f"surface of degree {rule.degree} or less, such as a line, a circle or the lines of a "
        f"regular grid. Scatter the nodes, or ask for a larger stencil_size or a lower order"
    )
