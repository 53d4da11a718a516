"""Weights on stencils that change where the rule's nearest nodes determine none, or badly.

On a regular grid the 73 nodes of order 6 in the plane often lie on a curve of degree 7 beside the
boundary; ten nodes more do not. Where the spacing changes abruptly they lie nearly on one, and
others further away do not (:mod:`~dtpinn.rbffd.uneven`). Only such rows get other stencils.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dtpinn.rbffd.block import Block, Solve
from dtpinn.rbffd.degenerate import degenerate_error, degenerate_rows
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.uneven import ABRUPT, BETTER, HARMFUL, UNEVEN, usual_condition

GROWTH = 1.1
"""By how much a stencil grows at a time."""

STEPS = 6
"""How often: to 1.8 n, which order 4 takes at the edges of a grid in space.

In the plane 1.1 n is enough, or 1.2 n where a grid has no ghosts.
"""

REACH = 2.0
"""A stencil that grew to more than this many radii took its nodes from somewhere else."""


Spread: TypeAlias = Callable[[NDArray[np.intp], Rule], Block | None]
"""Gives those of some rows other stencils whose own are lopsided."""


def solve_growing(
    solve: Solve, rows: int, rule: Rule, *, grow: bool, spread: Spread | None = None
) -> list[Block]:
    """Solve for weights; spread out the stencils that are lopsided, enlarge the degenerate ones.

    Parameters
    ----------
    solve : callable
        Gives the weights of some rows by a rule, such as
        :func:`~dtpinn.rbffd.block.centred`.
    rows : int
        How many there are.
    rule : Rule
        Gives the size to begin with.
    grow : bool
        False: a degenerate stencil is an error at once.
    spread : callable, optional
        Gives rows stencils that look in all directions, :func:`~dtpinn.rbffd.uneven.spread_out`.

    Returns
    -------
    list of Block
        Those of the rule's size before others; together they hold every row once.

    Raises
    ------
    ValueError
        What `solve` raises, or if a stencil is degenerate, whatever its size.

    Warns
    -----
    UserWarning
        Once, if stencils grew; or if the nodes are so uneven that no choice of them helps.

    Examples
    --------
    The ten nodes nearest to the corner of a grid lie on a cubic, and there are ten cubics:

    >>> from dtpinn.rbffd.block import centred
    >>> from dtpinn.rbffd.rule import choose_rule
    >>> grid = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    >>> rule = choose_rule(3, derivatives=1, dimension=2, stencil_size=10)
    >>> solve = centred(grid, np.array([0]), {"dx": {(1, 0): np.ones(1)}}, threads=1)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     blocks = solve_growing(solve, 1, rule, grow=True)
    >>> [block.stencils.members.shape for block in blocks]
    [(0, 10), (1, 11)]
    """
    first = solve(np.arange(rows), rule)
    others = [] if spread is None else _spread(spread, first, rule)
    for block in others:
        first = first.take(np.setdiff1d(np.arange(len(first.rows)), block.rows))
    return [*_solve_degenerate(solve, first, rule, grow=grow), *others]


def _solve_degenerate(solve: Solve, first: Block, rule: Rule, *, grow: bool) -> list[Block]:
    """The block without its degenerate rows, and these in larger stencils."""
    every = np.arange(len(first.rows))
    bad = degenerate_rows(first.weights.condition)
    if not bad.size:
        return [first]
    sizes = _sizes(rule, len(first.stencils.points)) if grow else []
    grown: list[Block] = []
    # The worst one alone tells at once where growing is no cure: on a line no size is large enough.
    worst = bad[np.argmax(first.weights.condition[bad])]
    for some in (np.array([worst]), bad):
        grown, left = _grow(solve, first.take(some), rule, sizes)
        if left.size:
            condition = first.weights.condition
            raise degenerate_error(first.stencils, condition, left, rule, sizes, grow=grow)
    _warn(first, bad, grown)
    return [first.take(np.setdiff1d(every, bad)), *grown]


def _spread(spread: Spread, block: Block, rule: Rule) -> list[Block]:
    """The lopsided rows of the whole assembly, with other stencils, where they are better."""
    condition = block.weights.condition / usual_condition(rule)
    lopsided = np.flatnonzero(~(condition <= UNEVEN))
    if not lopsided.size or condition[lopsided].max() <= ABRUPT:
        return []
    tried = spread(block.rows[lopsided], rule)
    if tried is None:
        return []
    before = block.weights.condition[tried.rows]
    better = tried.take(np.flatnonzero(tried.weights.condition < BETTER * before))
    _warn_of_uneven(better, rule)
    return [better] if len(better.rows) else []


def _sizes(rule: Rule, count: int) -> list[int]:
    """List the sizes to try after the rule's own; a stencil has no more nodes than there are."""
    sizes = [rule.stencil_size]
    for _ in range(STEPS):
        sizes.append(int(np.ceil(GROWTH * sizes[-1])))
    return sorted({min(size, count) for size in sizes[1:]} - {rule.stencil_size})


def _grow(
    solve: Solve, block: Block, rule: Rule, sizes: list[int]
) -> tuple[list[Block], NDArray[np.intp]]:
    """Return blocks of larger stencils, and the rows of `block` that stay degenerate."""
    blocks: list[Block] = []
    left, reach = block.rows, REACH * block.stencils.radius
    for size in sizes:
        tried = solve(left, replace(rule, stencil_size=size))
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


def _warn(first: Block, bad: NDArray[np.intp], grown: list[Block]) -> None:
    node = first.stencils.members[bad[0], 0]
    size = max(block.stencils.members.shape[1] for block in grown)
    warnings.warn(
        f"{bad.size} of {len(first.rows)} stencils of {first.stencils.members.shape[1]} nodes "
        f"determine no weights, as happens on regular grids; they were enlarged, to {size} nodes "
        f"at most. The first is that of node {node} at {first.stencils.points[node].tolist()}. "
        f"Ask for stencil_size={size} for all of them to have as many",
        stacklevel=_caller(),
    )


def _warn_of_uneven(block: Block, rule: Rule) -> None:
    """Tell of stencils that are lopsided still."""
    condition = block.weights.condition
    bad = np.flatnonzero(condition > HARMFUL * usual_condition(rule))
    if not bad.size:
        return
    node = block.stencils.members[bad[np.argmax(condition[bad])], 0]
    warnings.warn(
        f"beside {bad.size} nodes the spacing changes abruptly, as where a boundary is several "
        "times finer than the inside: their stencils lie nearly on a curve or surface, whichever "
        "nodes are taken, and errors may be a hundred times larger. The worst is that of node "
        f"{node} at {block.stencils.points[node].tolist()}. Let the spacing change gently, by some "
        "20% from a node to the next: with dtpinn.nodes.graded(domain, near, far) as its spacing "
        "dtpinn.place_nodes does so",
        stacklevel=_caller(),
    )


def _caller() -> int:
    """Return the stack level, seen from the caller, of the first function that is not dtpinn's."""
    level, frame = 0, sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("dtpinn."):
        level, frame = level + 1, frame.f_back
    return level
