"""Weights on stencils that grow where the rule's size determines none.

On a regular grid the 73 nodes of order 6 in the plane often lie on a curve of degree 7 beside the
boundary; ten nodes more do not. Only such rows get larger stencils.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dtpinn.rbffd.degenerate import degenerate_error, degenerate_rows
from dtpinn.rbffd.polyharmonic import MultiIndex
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import Stencils, find_stencils
from dtpinn.rbffd.weights import Weights, solve_weights

GROWTH = 1.1
"""By how much a stencil grows at a time."""

STEPS = 6
"""How often: to 1.8 n, which order 4 takes at the edges of a grid in space.

In the plane 1.1 n is enough, or 1.2 n where a grid has no ghosts.
"""

REACH = 2.0
"""A stencil that grew to more than this many radii took its nodes from somewhere else."""

Operators = Mapping[str, Mapping[MultiIndex, NDArray[np.float64]]]


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


def solve_growing(
    points: NDArray[np.float64],
    rows: NDArray[np.integer],
    operators: Operators,
    rule: Rule,
    *,
    threads: int,
) -> list[Block]:
    """Find stencils and solve for weights; enlarge the stencils that are degenerate.

    Parameters
    ----------
    points : (N, d) array
        All nodes.
    rows : (rows,) int array
        The nodes at which derivatives are wanted, as indices into `points`.
    operators : mapping of name to (mapping of multi-index to (1,) or (rows,) array)
        Checked terms, from :func:`~dtpinn.rbffd.terms.check_terms`.
    rule : Rule
        Gives the size to begin with.
    threads : int
        The result does not depend on it.

    Returns
    -------
    list of Block
        The first of the rule's size; together they hold every row once.

    Raises
    ------
    ValueError
        As :func:`~dtpinn.rbffd.stencils.find_stencils`, or if a stencil stays degenerate.

    Warns
    -----
    UserWarning
        Once, if stencils grew.

    Examples
    --------
    The ten nodes nearest to the corner of a grid lie on a cubic, and there are ten cubics:

    >>> from dtpinn.rbffd.rule import choose_rule
    >>> grid = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    >>> rule = choose_rule(3, derivatives=1, dimension=2, stencil_size=10)
    >>> dx = {"dx": {(1, 0): np.ones(1)}}
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     blocks = solve_growing(grid, np.array([0]), dx, rule, threads=1)
    >>> [block.stencils.members.shape for block in blocks]
    [(0, 10), (1, 11)]
    """
    every = np.arange(len(rows))
    first = _solve(points, rows, every, operators, rule, threads)
    bad = degenerate_rows(first.weights.condition)
    if not bad.size:
        return [first]
    grown: list[Block] = []
    # The worst one alone tells at once where growing is no cure: on a line no size is large enough.
    worst = bad[np.argmax(first.weights.condition[bad])]
    for some in (np.array([worst]), bad):
        grown, left = _grow(points, rows, first.take(some), operators, rule, threads)
        if left.size:
            raise degenerate_error(
                first.stencils, first.weights.condition, left, rule, _sizes(rule, len(points))
            )
    _warn(first, bad, grown)
    return [first.take(np.setdiff1d(every, bad)), *grown]


def _sizes(rule: Rule, count: int) -> list[int]:
    """List the sizes to try after the rule's own; a stencil has no more nodes than there are."""
    sizes = [rule.stencil_size]
    for _ in range(STEPS):
        sizes.append(int(np.ceil(GROWTH * sizes[-1])))
    return sorted({min(size, count) for size in sizes[1:]} - {rule.stencil_size})


def _grow(
    points: NDArray[np.float64],
    rows: NDArray[np.integer],
    block: Block,
    operators: Operators,
    rule: Rule,
    threads: int,
) -> tuple[list[Block], NDArray[np.intp]]:
    """Return blocks of larger stencils, and the rows of `block` that stay degenerate."""
    blocks: list[Block] = []
    left, reach = block.rows, REACH * block.stencils.radius
    for size in _sizes(rule, len(points)):
        larger = replace(rule, stencil_size=size)
        tried = _solve(points, rows, left, operators, larger, threads)
        bad = np.union1d(
            degenerate_rows(tried.weights.condition), np.flatnonzero(tried.stencils.radius > reach)
        )
        good = np.setdiff1d(np.arange(len(left)), bad)
        if good.size:
            blocks.append(tried.take(good))
        left, reach = left[bad], reach[bad]
        if not left.size:
            break
    return blocks, left


def _solve(
    points: NDArray[np.float64],
    rows: NDArray[np.integer],
    some: NDArray[np.intp],
    operators: Operators,
    rule: Rule,
    threads: int,
) -> Block:
    """Solve for the weights of some of the rows."""
    terms = {
        name: {alpha: c[some] if c.size > 1 else c for alpha, c in of_one.items()}
        for name, of_one in operators.items()
    }
    stencils = find_stencils(points, rows[some], rule.stencil_size, threads=threads)
    return Block(some, stencils, solve_weights(stencils, terms, rule, threads=threads))


def _warn(first: Block, bad: NDArray[np.intp], grown: list[Block]) -> None:
    node = first.stencils.members[bad[0], 0]
    size = max(block.stencils.members.shape[1] for block in grown)
    warnings.warn(
        f"{bad.size} of {len(first.rows)} stencils of {first.stencils.members.shape[1]} nodes "
        f"determine no weights, as happens on regular grids; they were enlarged, to {size} nodes "
        f"at most. The first is that of node {node} at {first.stencils.points[node].tolist()}. "
        f"Ask for stencil_size={size} to silence this",
        stacklevel=4,  # whoever called assemble
    )
