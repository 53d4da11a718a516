"""Weights at points that are no nodes: those of the stencil of the nearest node in sight."""

from __future__ import annotations

from math import gamma, pi

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats
from dtpinn.nodes.walls import Walls
from dtpinn.rbffd.block import Block, Find, Operators, Solve, of_rows
from dtpinn.rbffd.nearest import nearest_in_sight
from dtpinn.rbffd.offcentre import combine, solve_off_centre
from dtpinn.rbffd.progress import Advance
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import Stencils, find_stencils
from dtpinn.rbffd.weights import Weights

REACH = 1.6
"""How far from its nearest node a place may lie, in distances between the stencil's nodes.

Within quasi-uniform clouds it is up to 1.3, and half a distance outside of them 0.5 to 1.
Where it is 1.6, weights of order 6 magnify errors in the values a hundredfold.
"""


def elsewhere(
    points: Floats,
    places: Floats,
    operators: Operators,
    *,
    walls: Walls | None = None,
    threads: int,
    advance: Advance | None = None,
    find: Find | None = None,
) -> Solve:
    """Evaluate at any places; those nearest to one node share its stencil and factorisation.

    A node behind a wall is not near.

    Parameters
    ----------
    points : (N, d) array
        All nodes.
    places : (rows, d) array
        Where.
    operators : mapping of name to terms
        Coefficients are (1,) or (rows,).
    walls : Walls, optional
        What stencils do not reach through.
    threads : int
        The result does not depend on it.
    advance : callable, optional
        Told how many stencils are done.
    find : callable, optional
        Other stencils than those of the nearest nodes.

    Returns
    -------
    callable
        Which raises ValueError if a place lies beyond the cloud; names the farthest.
    """
    distance, nearest = nearest_in_sight(points, places, walls, threads=threads)

    def solve(some: NDArray[np.intp], rule: Rule) -> Block:
        nodes, owner = np.unique(nearest[some], return_inverse=True)
        size = rule.stencil_size
        stencils = (
            find(nodes, size)
            if find
            else find_stencils(points, nodes, size, walls=walls, threads=threads)
        )
        _check_reach(stencils.take(owner), distance[some], places[some])
        terms = of_rows(operators, some)
        derivatives = sorted({alpha for one in terms.values() for alpha in one})
        weights, condition = solve_off_centre(
            stencils, owner, places[some], rule, derivatives, threads=threads, advance=advance
        )
        values = {name: combine(weights, one, derivatives) for name, one in terms.items()}
        return Block(some, stencils.take(owner), Weights(values, condition))

    return solve


def _check_reach(stencils: Stencils, distance: Floats, places: Floats) -> None:
    size, dimension = stencils.members.shape[1], places.shape[1]
    ball = pi ** (dimension / 2) / gamma(dimension / 2 + 1)
    between = stencils.radius * (ball / size) ** (1 / dimension)
    far = np.flatnonzero(distance > REACH * between)
    if far.size:
        worst = far[np.argmax(distance[far] / between[far])]
        raise ValueError(
            f"points must lie within the cloud; row {worst} at {places[worst].tolist()} is "
            f"{distance[worst]:.3g} from its nearest node, where nodes are about "
            f"{between[worst]:.3g} apart ({far.size} of {len(places)} rows are too far): leave "
            "such points out, RBF-FD does not extrapolate"
        )
