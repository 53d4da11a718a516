"""Which equations determine the unknowns: as many at every node as there are unknowns.

Training takes all residuals, and may have more of them than unknowns; a direct solve may not. In
the interior and on smooth boundaries the count is right by arrangement
(:mod:`dtpinn.problem.arrangement`). Where sides meet their conditions may say the same thing twice
(two tractions at a corner both hold the shear stress, two Dirichlet values), or be more than the
unknowns there. So there the conditions' rows are looked at: of what they say together, their
singular vectors, as much is taken as they say distinctly and as there is room for, and what room is
left the equation of the domain fills with what is not said already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack

from dtpinn.problem.jacobian.linearize import Linearization

if TYPE_CHECKING:
    from dtpinn.problem.discrete import DiscreteProblem

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# Beside the largest singular value of the conditions' rows at a node, each of length one: below,
# they say the same. Normals that differ by 11 degrees give this.
DISTINCT = 0.1


def choose_equations(
    problem: DiscreteProblem,
    example: Linearization,
    rows: Mapping[str, csr_array],
    unknown: NDArray[np.bool_],
) -> csr_array:
    """Return the matrix that makes the system's equations from all that there are.

    Parameters
    ----------
    problem : DiscreteProblem
    example : Linearization
        At generic values.
    rows : dict of region name to (points * equations, unknowns) csr_array
        Jacobians in the unknowns, at one time.
    unknown : (nodes of X~, fields) bool array

    Returns
    -------
    (unknowns, equations) csr_array
        A row of it for each equation to keep: a unit vector, or a combination at a node where sides
        meet. Where the counts do not agree for another reason, all are kept, and the system is not
        square.
    """
    nodes = problem.nodes
    regions = [*problem.regions, *([problem.meeting] if problem.meeting is not None else [])]
    width = [example.residuals[region.name].shape[1] for region in regions]
    # Node of X, and whether it is the equation's, of each row of everything.
    node = np.concatenate([np.repeat(r.rows, w) for r, w in zip(regions, width, strict=True)])
    of_pde = np.concatenate(
        [np.full(len(r.rows) * w, not r.on_boundary) for r, w in zip(regions, width, strict=True)]
    )
    spare = np.concatenate(
        [
            np.full(len(r.rows) * w, r is problem.meeting)
            for r, w in zip(regions, width, strict=True)
        ]
    )
    behind = nodes.interior_count + nodes.ghost_of
    room = unknown[: nodes.count].sum(axis=1)
    np.add.at(room, behind, unknown[nodes.count :].sum(axis=1))
    said = np.bincount(node[~of_pde], minlength=nodes.count)
    equations = np.bincount(node[of_pde & ~spare], minlength=nodes.count)
    several = np.bincount(node[spare], minlength=nodes.count) > 0
    # The equation gives way where the conditions have taken all the room.
    gives_way = (said >= room) & (equations > 0) & (said > 0) & ~several
    mixed = several | (said > room)
    keep = np.flatnonzero(~spare & ~(of_pde & gives_way[node]) & ~mixed[node])
    everything = csr_array(vstack([rows[region.name] for region in regions], format="csr"))
    pieces = [(np.arange(len(keep)), keep, np.ones(len(keep)))]
    count = len(keep)
    for at in np.flatnonzero(mixed):
        here = np.flatnonzero(node == at)
        conditions, equation = here[~of_pde[here]], here[of_pde[here]]
        chosen, entries = _combine(everything, conditions, equation, int(room[at]))
        first, second = np.nonzero(entries)
        pieces.append((count + first, chosen[second], entries[first, second]))
        count += len(entries)
    i, j, values = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return csr_array(coo_array((values, (i, j)), shape=(count, len(node))))


def _combine(
    everything: csr_array, conditions: Rows, equation: Rows, room: int
) -> tuple[Rows, Floats]:
    """Return up to `room` combinations: their rows, and the factors (combinations, rows)."""
    chosen = np.concatenate([conditions, equation])
    A = everything[chosen]
    A = A[:, np.unique(A.indices)].toarray()
    size = np.linalg.norm(A, axis=1)
    A = A / np.where(size > 0.0, size, 1.0)[:, None]
    said, rest = A[: len(conditions)], A[len(conditions) :]
    U, s, Vt = np.linalg.svd(said, full_matrices=False)
    rank = min(room, int((s > DISTINCT * s[0]).sum()))
    if rank == len(conditions):
        told = np.eye(rank)
    else:
        told = U[:, :rank].T / np.where(size > 0.0, size, 1.0)[: len(conditions)]
    open_ = min(room - rank, len(equation))
    left = rest - (rest @ Vt[:rank].T) @ Vt[:rank]
    filled = np.zeros((0, len(equation)))
    if open_ > 0:
        U, _, _ = np.linalg.svd(left, full_matrices=False)
        filled = U[:, :open_].T / size[len(conditions) :]
    blocks = np.zeros((len(told) + len(filled), len(chosen)))
    blocks[: len(told), : len(conditions)] = told
    blocks[len(told) :, len(conditions) :] = filled
    return chosen, blocks
