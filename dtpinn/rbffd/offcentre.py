"""Weights away from the centre of a stencil: one factorisation serves many places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats
from dtpinn.operators import MultiIndex
from dtpinn.rbffd.parallel import CHUNK, in_chunks
from dtpinn.rbffd.progress import Advance
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.solver import solve_stencils
from dtpinn.rbffd.stencils import Stencils

PLACES = 64
"""How many places a factorisation serves at most: more are solved again, and memory is bounded."""


def solve_off_centre(
    stencils: Stencils,
    owner: NDArray[np.intp],
    places: Floats,
    rule: Rule,
    derivatives: Sequence[MultiIndex],
    *,
    threads: int,
    advance: Advance | None = None,
) -> tuple[Floats, Floats]:
    """Solve equation (9) for derivatives at any places within stencils.

    Parameters
    ----------
    stencils : Stencils
        Of ``rule.stencil_size`` members each.
    owner : (k,) int array
        The stencil of each place.
    places : (k, d) array
        Points, in global coordinates.
    rule : Rule
        Its `derivatives` must be at least the highest of `derivatives`.
    derivatives : sequence of multi-indices
        (0, ..., 0), the value, is allowed.
    threads : int
        The result does not depend on it.
    advance : callable, optional
        Told how many stencils are done.

    Returns
    -------
    weights : (k, len(derivatives), n) array
        Of the members of each place's stencil. Not finite where the stencil is singular. The value
        at a member is exact: 1 there and 0 elsewhere.
    condition : (k,) array
        An estimate of the condition number of each place's stencil.

    Examples
    --------
    The value and the slope of a parabola between two nodes:

    >>> from dtpinn.rbffd.rule import choose_rule
    >>> from dtpinn.rbffd.stencils import find_stencils
    >>> x = np.linspace(0.0, 1.0, 11)[:, None]
    >>> rule = choose_rule(2, derivatives=1, dimension=1)
    >>> stencils = find_stencils(x, np.array([5]), rule.stencil_size)
    >>> weights, _ = solve_off_centre(
    ...     stencils, np.array([0]), np.array([[0.53]]), rule, [(0,), (1,)], threads=1)
    >>> (weights[0] @ x[stencils.members[0], 0] ** 2).round(12)
    array([0.2809, 1.06  ])
    """
    weights = np.empty((len(places), len(derivatives), rule.stencil_size))
    condition = np.empty(len(places))
    jobs = _jobs(owner, len(stencils))
    by_owner = np.argsort(owner, kind="stable")

    def work(part: slice) -> None:
        which, start, stop = jobs[part].T
        slots = start[:, None] + np.arange((stop - start).max())
        real = slots < stop[:, None]
        slots = by_owner[np.minimum(slots, stop[:, None] - 1)]  # a job's last place fills it up
        columns, estimates = _solve(stencils.take(which), places[slots], rule, derivatives)
        weights[slots[real]] = columns[real]
        condition[slots[real]] = np.broadcast_to(estimates[:, None], real.shape)[real]

    in_chunks(work, len(jobs), CHUNK, threads, advance)
    return weights, condition


def combine(
    weights: Floats,
    terms: Mapping[MultiIndex, Floats],
    derivatives: list[MultiIndex],
) -> Floats:
    """Add up an operator's terms.

    Parameters
    ----------
    weights : (k, len(derivatives), n) array
        Of each derivative.
    terms : mapping of multi-index to (1,) or (k,) array
        The operator.
    derivatives : list of multi-indices
        Contains those of the operator.

    Returns
    -------
    (k, n) array

    Examples
    --------
    >>> combine(np.array([[[1.0, 2.0]]]), {(1,): np.array([5.0])}, [(1,)])
    array([[ 5., 10.]])
    """
    values = np.zeros((weights.shape[0], weights.shape[2]))
    for alpha, coefficient in terms.items():
        values += coefficient[:, None] * weights[:, derivatives.index(alpha)]
    return values


def _jobs(owner: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return rows (stencil, start, stop) of at most PLACES places, in the order of owners.

    Jobs of similar length lie side by side, as a batch is as wide as its longest.
    """
    places = np.bincount(owner, minlength=count)
    first = np.cumsum(places) - places
    pieces = -(-places // PLACES)
    which = np.repeat(np.arange(count), pieces)
    piece = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    start = first[which] + piece * PLACES
    stop = np.minimum(start + PLACES, first[which] + places[which])
    jobs = np.stack([which, start, stop], axis=1)
    return jobs[np.argsort(start - stop, kind="stable")]


def _solve(
    stencils: Stencils,
    places: Floats,
    rule: Rule,
    derivatives: Sequence[MultiIndex],
) -> tuple[Floats, Floats]:
    """Return weights (c, width, derivatives, n) at places (c, width, d), and conditions (c,)."""
    members = stencils.points[stencils.members]
    at = (places - members[:, :1]) / stencils.radius[:, None, None]
    offsets = stencils.offsets(slice(None))
    weights, condition = solve_stencils(offsets, rule, tuple(derivatives), at)
    for k, alpha in enumerate(derivatives):
        if any(alpha):
            weights[:, :, k] *= (stencils.radius ** -float(sum(alpha)))[:, None, None]
        else:
            same = (places[:, :, None] == members[:, None]).all(axis=3)
            exact = same.any(axis=2) & np.isfinite(condition)[:, None]
            weights[:, :, k][exact] = same[exact]
    return weights, condition
