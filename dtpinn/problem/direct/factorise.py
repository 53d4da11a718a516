"""Sparse LU of a discrete system, in natural units, and whether it is singular."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from dtpinn.problem.direct.scaling import Scales, equilibrate

# Smallest pivot to largest, of the scaled matrix. Pure Neumann conditions leave 1e-17 to 1e-14, the
# usual problems 1e-6 to 1e-1.
_SINGULAR = 1e-13


class Factors:
    """``A = L U`` of a square matrix whose equations and unknowns may be in any units.

    Made by :func:`factorise`.

    Attributes
    ----------
    scales : Scales
        Of its rows and columns.
    """

    def __init__(self, lu: Any, scales: Scales) -> None:
        self._lu, self.scales = lu, scales

    def solve(self, r: NDArray[Any]) -> NDArray[Any]:
        """Return u with A u = r, for r of the matrix's dtype."""
        return np.asarray(self.scales.columns * self._lu.solve(self.scales.rows * r))

    def solve_transposed(self, r: NDArray[Any]) -> NDArray[Any]:
        """Return z (n, k) with A' z = r (n, k)."""
        rows, columns = self.scales.rows[:, None], self.scales.columns[:, None]
        return np.asarray(rows * self._lu.solve(columns * r, trans="T"))


def factorise(matrix: csc_array, remedy: str) -> Factors:
    """Return the sparse LU factorisation.

    Rows and columns are equilibrated first: what a pivot is small against, and which one is chosen,
    must not depend on whether lengths are in metres or in micrometres.

    Raises
    ------
    RuntimeError
        If the matrix is singular, exactly or to rounding, with the remedy.

    Examples
    --------
    >>> steel = csc_array(np.array([[2e11, -1e11], [0.0, 1e-5]]))
    >>> factorise(steel, "").solve(np.array([1e11, 1e-5])).round(9).tolist()
    [1.0, 1.0]
    >>> factorise(csc_array(np.array([[1e11, -1e11], [-1e-5, 1e-5]])), "fix a value")
    Traceback (most recent call last):
        ...
    RuntimeError: the discrete system is singular to rounding: fix a value [pivots from ...]
    """
    scales = equilibrate(matrix)
    try:
        lu = splu(scales(matrix))
    except RuntimeError as error:
        raise RuntimeError(f"the discrete system is singular: {remedy} [{error}]") from error
    pivots = np.abs(lu.U.diagonal())
    if not pivots.min() >= _SINGULAR * pivots.max():  # also for NaN
        raise RuntimeError(
            f"the discrete system is singular to rounding: {remedy} [pivots from "
            f"{pivots.min():.1e} to {pivots.max():.1e}]"
        )
    return Factors(lu, scales)
