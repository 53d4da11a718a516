"""A batch of linear systems, some of which may be singular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def solve_systems(
    matrices: NDArray[np.float64], rhs: NDArray[np.float64], columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Solve a batch and estimate the condition numbers.

    Parameters
    ----------
    matrices : (c, N, N) array
        Singular ones are overwritten.
    rhs : (c, N, columns + probes) array
        The last columns are :func:`~dtpinn.rbffd.system.probes`.
    columns : int
        How many are wanted.

    Returns
    -------
    solution : (c, N, columns + probes) array
        NaN for a singular matrix.
    condition : (c,) array
        |K|_F |K^-1|_F, the second factor estimated from the probes; inf for a singular matrix.

    Examples
    --------
    >>> matrices = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]])
    >>> solution, condition = solve_systems(matrices, np.ones((2, 2, 2)), 1)
    >>> solution[:, :, 0]
    array([[0.5 , 0.25],
           [ nan,  nan]])
    >>> condition.round(1)
    array([2.5, inf])
    """
    try:
        solution = np.asarray(np.linalg.solve(matrices, rhs), dtype=np.float64)
    except np.linalg.LinAlgError:
        # Some matrix has an exactly zero pivot, and numpy does not say which. slogdet does the
        # same factorisation and gives it the sign 0. NaN travels on to its condition below.
        singular = np.linalg.slogdet(matrices).sign == 0.0
        matrices[singular] = np.eye(matrices.shape[1])
        rhs[singular] = np.nan
        solution = np.asarray(np.linalg.solve(matrices, rhs), dtype=np.float64)
    probed = solution[:, :, columns:]
    norm = np.sqrt(np.einsum("cij,cij->c", matrices, matrices))
    inverse_norm = np.sqrt(np.einsum("cij,cij->c", probed, probed) / probed.shape[2])
    condition: NDArray[np.float64] = norm * inverse_norm
    return solution.astype(np.float64, copy=False), np.nan_to_num(
        condition, nan=np.inf, posinf=np.inf
    )
