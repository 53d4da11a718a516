"""Rows of weights with their stencils, and the usual way to get them: a stencil for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats
from dtpinn.nodes.walls import Walls
from dtpinn.operators import MultiIndex
from dtpinn.rbffd.progress import Advance
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import Stencils, find_stencils
from dtpinn.rbffd.weights import Weights, solve_weights

Operators: TypeAlias = Mapping[str, Mapping[MultiIndex, Floats]]
"""Name -> checked terms, from :func:`~dtpinn.rbffd.terms.terms_of`."""


@dataclass(frozen=True)
class Block:
    """Rows of an assembly whose stencils have one size.

    Attributes
    ----------
    rows : (k,) int array
        Which rows of the assembly.
    stencils, weights : Stencils, Weights
        Of k rows.
    """

    rows: NDArray[np.intp]
    stencils: Stencils
    weights: Weights

    def take(self, which: NDArray[np.intp]) -> Block:
        """Return a part of the block.

        Parameters
        ----------
        which : (j,) int array
            Indices into `rows`.

        Returns
        -------
        Block
        """
        return Block(self.rows[which], self.stencils.take(which), self.weights.take(which))


Solve: TypeAlias = Callable[[NDArray[np.intp], Rule], Block]
"""A way to the weights: takes some rows of the assembly and the rule, gives these rows."""


Find: TypeAlias = Callable[[NDArray[np.integer], int], Stencils]
"""A way to stencils: takes nodes and a size."""


def centred(
    points: Floats,
    rows: NDArray[np.integer],
    operators: Operators,
    *,
    walls: Walls | None = None,
    threads: int,
    advance: Advance | None = None,
    find: Find | None = None,
) -> Solve:
    """Give each row its own stencil, with its node at the centre.

    Parameters
    ----------
    points : (N, d) array
        All nodes.
    rows : (rows,) int array
        The nodes at which derivatives are wanted, as indices into `points`.
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
    """

    def solve(some: NDArray[np.intp], rule: Rule) -> Block:
        size = rule.stencil_size
        stencils = (
            find(rows[some], size)
            if find
            else find_stencils(points, rows[some], size, walls=walls, threads=threads)
        )
        terms = of_rows(operators, some)
        return Block(
            some, stencils, solve_weights(stencils, terms, rule, threads=threads, advance=advance)
        )

    return solve


def of_rows(operators: Operators, some: NDArray[np.intp]) -> Operators:
    """Return the operators' coefficients at some of the rows.

    Parameters
    ----------
    operators : mapping of name to terms
        Coefficients are (1,) or (rows,).
    some : (k,) int array
        Rows.

    Returns
    -------
    mapping of name to terms
        Coefficients are (1,) or (k,).

    Examples
    --------
    >>> of_rows({"a": {(1,): np.array([5.0, 6.0, 7.0])}}, np.array([2, 0]))
    {'a': {(1,): array([7., 5.])}}
    """
    return {
        name: {alpha: c[some] if c.size > 1 else c for alpha, c in terms.items()}
        for name, terms in operators.items()
    }
