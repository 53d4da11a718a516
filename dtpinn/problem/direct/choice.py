"""Which equations determine the unknowns: as many at every node as there are unknowns.

Training takes all residuals, and may have more of them than unknowns; a direct solve may not. In
the interior and on smooth boundaries the count is right by arrangement
(:mod:`dtpinn.problem.arrangement`). Where sides meet their conditions may say the same thing twice
(two tractions at a corner both hold the shear stress, two Dirichlet values), be more than the
unknowns there, or say little of them: of two fluxes at the corner of a square the sum ties node and
ghost, while both lie where the difference has no weight. Taken for their equation it left them to
chance. So what the conditions say together *of the node and its ghost* is looked at, in singular
vectors: as much is taken as they say distinctly, and the room that is left goes to the equation of
the domain, to what it says beyond.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.sparse import coo_array, csr_array, diags_array, vstack

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes import Nodes
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.jacobian.linearize import Linearization

Rows = Integers

# Beside the largest singular value: rounding.
_NOTHING = 1e-8
# Beside the largest singular value of what the conditions say of a node and its ghost: below, it is
# no equation for them.
DISTINCT = 0.25


@dataclass(frozen=True)
class Chosen:
    """The equations of a system.

    Attributes
    ----------
    matrix : (chosen, equations) csr_array
        A row for each equation to keep: a unit vector, or a combination at a node where sides meet.
    node : (equations,) int array
        Of X, at which each holds.
    number : (equations,) int array
        Which of the domain's equations each is; -1 for a condition.
    """

    matrix: csr_array
    node: Rows
    number: Rows


def choose_equations(
    system: DiscreteSystem,
    example: Linearization,
    rows: Mapping[str, csr_array],
    unknown: NDArray[np.bool_],
) -> Chosen:
    """Return how the system's equations are made from all that there are.

    Parameters
    ----------
    system : DiscreteSystem
    example : Linearization
        At generic values.
    rows : dict of region name to (points * equations, unknowns) csr_array
        Jacobians in the unknowns, at one time.
    unknown : (nodes of X~, fields) bool array
        Which values are unknowns; these are numbered in this order.

    Returns
    -------
    Chosen
        Where the counts do not agree, all are kept, and the system is not square.
    """
    nodes, regions = system.posed.nodes, system.regions_to_solve
    candidates = _candidates(system, example)
    keep, mixed = _keep_or_mix(candidates, _room(nodes, unknown), nodes.interior_count)
    everything = csr_array(vstack([rows[region.name] for region in regions], format="csr"))
    # What conditions say of a pressure and what of a velocity is compared in the fields' own sizes.
    everything = everything @ diags_array(np.tile(system.units, len(unknown))[unknown.ravel()])
    owner = np.repeat(_owners(nodes), unknown.sum(axis=1))
    pieces = [(np.arange(len(keep)), keep, np.ones(len(keep)))]
    count = len(keep)
    for at in mixed:
        here = np.flatnonzero(candidates.node == at)
        of_pde = candidates.of_pde[here]
        chosen = np.concatenate([here[~of_pde], here[of_pde]])
        own = np.flatnonzero(owner == at)
        few = len(own) == unknown.shape[1]
        entries = _combine(everything[chosen], own, int((~of_pde).sum()), without_ghost=few)
        first, second = np.nonzero(entries)
        pieces.append((count + first, chosen[second], entries[first, second]))
        count += len(entries)
    i, j, values = (np.concatenate(column) for column in zip(*pieces, strict=True))
    matrix = csr_array(coo_array((values, (i, j)), shape=(count, len(candidates.node))))
    return Chosen(matrix, candidates.node, candidates.number)


@dataclass(frozen=True)
class _Candidates:
    """What each of all equations is, in the order of regions, points and equations.

    Attributes
    ----------
    node : (m,) int array
        Of X, at which it holds.
    number : (m,) int array
        Which of the domain's equations it is; -1 for a condition.
    spare : (m,) bool array
        Whether it only stands in for what the conditions leave open where sides meet.
    """

    node: Rows
    number: Rows
    spare: NDArray[np.bool_]

    @property
    def of_pde(self) -> NDArray[np.bool_]:
        """Whether it is the domain's equation, not a condition."""
        return self.number >= 0


def _candidates(system: DiscreteSystem, example: Linearization) -> _Candidates:
    regions = system.regions_to_solve
    width = [example.residuals[region.name].shape[1] for region in regions]
    size = [len(region.rows) * w for region, w in zip(regions, width, strict=True)]
    return _Candidates(
        np.concatenate([np.repeat(r.rows, w) for r, w in zip(regions, width, strict=True)]),
        np.concatenate(
            [
                np.tile(np.full(w, -1) if r.on_boundary else np.arange(w), len(r.rows))
                for r, w in zip(regions, width, strict=True)
            ]
        ),
        np.repeat([region is system.meeting for region in regions], size),
    )


def _owners(nodes: Nodes) -> Rows:
    """The node of X to which each node of X~ belongs: itself, or the one that a ghost is behind."""
    return np.append(np.arange(nodes.count), nodes.interior_count + nodes.ghost_of)


def _room(nodes: Nodes, unknown: NDArray[np.bool_]) -> Rows:
    """How many unknowns there are at each node of X, those of its ghost among them."""
    room = np.zeros(nodes.count, dtype=np.int64)
    np.add.at(room, _owners(nodes), unknown.sum(axis=1))
    return room


def _keep_or_mix(candidates: _Candidates, room: Rows, interior_count: int) -> tuple[Rows, Rows]:
    """Return the equations to keep as they are, and the nodes where they are combined."""
    node, of_pde, spare = candidates.node, candidates.of_pde, candidates.spare
    said, equations, spares = (
        np.bincount(node[which], minlength=len(room)) for which in (~of_pde, of_pde & ~spare, spare)
    )
    several = spares > 0
    # The equation gives way where the conditions have taken all the room.
    gives_way = (said >= room) & (equations > 0) & (said > 0) & ~several
    # Conditions may be more than the unknowns where a ghost had no place, but not everywhere.
    mixed = several | ((said > room) & (said <= room[interior_count:].max(initial=0)))
    keep = np.flatnonzero(~spare & ~(of_pde & gives_way[node]) & ~mixed[node])
    return keep, np.flatnonzero(mixed)


def _combine(
    equations: csr_array, unknowns: Rows, conditions: int, *, without_ghost: bool
) -> Floats:
    """Return as many combinations of a node's equations as it has `unknowns`, or fewer.

    Parameters
    ----------
    equations : (m, all unknowns) csr_array
        Its conditions, then the equation of the domain.
    unknowns : int array
        Columns of the node's own values and of its ghost's.
    conditions : int
    without_ghost : bool
        Whether the node has none. Then what the equation says least of the node is taken, not what
        it says most: that is what holds no normal derivative of what is not given.

    Returns
    -------
    (combinations, m) array
    """
    size = np.sqrt(equations.multiply(equations).sum(axis=1))
    size = np.where(size > 0.0, size, 1.0)  # units of equations differ
    A = equations[:, unknowns].toarray() / size[:, None]
    U, s, Vt = np.linalg.svd(A[:conditions], full_matrices=False)
    rank = int((s > DISTINCT * s[0]).sum())
    # Where the equation cannot fill what is left, what is said less distinctly has to do.
    rank = max(rank, min(conditions, len(s), len(unknowns) - (A.shape[0] - conditions)))
    if rank < conditions:
        U = _with_other_nodes(
            equations[:conditions], size[:conditions], U, int((s > _NOTHING * s[0]).sum())
        )
    told = np.eye(conditions) if rank == conditions else U[:, :rank].T / size[:conditions]
    left = A[conditions:] - (A[conditions:] @ Vt[:rank].T) @ Vt[:rank]
    room = len(unknowns) - rank
    beyond = np.linalg.svd(left)[0]
    beyond = beyond[:, max(len(left) - room, 0) :] if without_ghost else beyond[:, :room]
    combined = block_diag(told, beyond.T / size[conditions:])
    # What rounding has left of zeros would bring whole rows of a matrix in, and their units.
    share = np.abs(combined) * size
    return np.where(share > _NOTHING * share.max(axis=1, keepdims=True), combined, 0.0)


def _with_other_nodes(conditions: csr_array, size: Floats, U: Floats, said: int) -> Floats:
    """Complete combinations of conditions by those that say nothing of the node and its ghost.

    Where velocities are given along both sides of a corner, div u = 0 says something of other
    nodes alone, and the difference of two values that were given twice nothing at all: what they
    are worth is seen in their whole rows.

    Parameters
    ----------
    conditions : (m, all unknowns) csr_array
    size : (m,) array
        Of each.
    U : (m, k) array
        Combinations, orthonormal; the first `said` of them say something of the node.
    """
    used = np.unique(conditions.indices)
    whole = conditions[:, used].toarray() / size[:, None]
    rest = whole - U[:, :said] @ (U[:, :said].T @ whole)
    others = np.linalg.svd(rest, full_matrices=False)[0]
    return np.concatenate([U[:, :said], others[:, : len(whole) - said]], axis=1)
