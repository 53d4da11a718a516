"""Radau IIA with three stages, for implicit systems F(t, u, u', u'') = 0: a step's linear algebra.

A polynomial of degree 3 starts from u_0 and satisfies the equations at three points of the step,
the last of them its end. So conditions without u', such as those on the boundary, hold exactly at
the end of every step, which is of order 5 for a smooth solution, and of stiff components nothing
is carried over. (Hairer and Wanner, Solving Ordinary Differential Equations II, IV.8 and VI.1.)

A system of second order is that of first order in u and v = u', with v eliminated: at the stages
v is the slope of u's polynomial, and u'' that of v's own, which starts from v_0. The same order, no
further unknowns; and v has equations wherever u has, whatever the conditions on u are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csc_array

from dtpinn.arrays import Floats
from dtpinn.problem.direct.factorise import factorise

STAGES = np.array([4.0 - np.sqrt(6.0), 4.0 + np.sqrt(6.0), 10.0]) / 10.0
"""Where in the unit step the equations are required."""

_UNDETERMINED = (
    "equation, conditions and rates together do not determine the next step; every field needs an "
    "equation, and a condition at every node of the boundary"
)


def _derivative() -> Floats:
    """Slopes at the stages of the polynomials that vanish at 0, by their values at the stages."""
    powers = np.arange(1, 4)
    values = STAGES[:, None] ** powers
    slopes = powers * STAGES[:, None] ** (powers - 1)
    return np.asarray(slopes @ np.linalg.inv(values))


DERIVATIVE = _derivative()
"""(3, 3): u' at the stages is DERIVATIVE (u_i - u_0) / step; the inverse of Butcher's matrix."""

_EIGENVALUES, _VECTORS = np.linalg.eig(DERIVATIVE)
_INVERSE = np.linalg.inv(_VECTORS)
_REAL = int(np.argmin(np.abs(_EIGENVALUES.imag)))
_COMPLEX = int(np.argmax(_EIGENVALUES.imag))


def extrapolation(ratio: float) -> Floats:
    """Return the (3, 3) matrix from values at the stages to those at the next step's stages.

    Parameters
    ----------
    ratio : float
        Next step / this step. The value at the beginning of this step is not used: there the
        algebraic unknowns may be anything.

    Examples
    --------
    >>> bool(np.allclose(extrapolation(1.0) @ STAGES**2, (1 + STAGES) ** 2))
    True
    """
    powers = np.arange(3)
    following = (1.0 + ratio * STAGES)[:, None] ** powers
    return np.asarray(following @ np.linalg.inv(STAGES[:, None] ** powers))


BACKWARDS = np.array([1.0, 0.0, 0.0]) @ np.linalg.inv(STAGES[:, None] ** np.arange(3))
"""(3,): the value at the beginning of a step, extrapolated from those at its stages."""


def stage_rates(stages: Floats, state: Floats, step: float) -> list[Floats]:
    """Return u' at the stages, and u'' in a system of second order: (3, n) each.

    Parameters
    ----------
    stages : (3, n) array
        u at the stages.
    state : (order, n) array
        u at the beginning of the step, and u' in a system of second order.
    step : float

    Examples
    --------
    >>> parabola = 4.0 * STAGES[:, None] ** 2  # on a step of length 2, t^2
    >>> [rate[-1].round(9) for rate in stage_rates(parabola, np.array([[0.0], [0.0]]), 2.0)]
    [array([4.]), array([2.])]
    """
    rates = []
    for start in state:
        stages = np.asarray(DERIVATIVE @ (stages - start) / step)
        rates.append(stages)
    return rates


class StageMatrix:
    """``sum_k (DERIVATIVE / step)^k (x) A_k``, factorised: simplified Newton for all three stages.

    In the eigenvectors of DERIVATIVE it falls apart into one real system and a conjugate pair, of
    which one is solved: two factorisations of the size of J instead of one of three times that.

    Parameters
    ----------
    matrices : sequence of (n, n) csc_array
        A_k: the derivatives of the system in u, in u' and, if it is of second order, in u''.
    step : float

    Raises
    ------
    RuntimeError
        If it is singular.
    """

    def __init__(self, matrices: Sequence[csc_array], step: float) -> None:
        real, pair = _EIGENVALUES[[_REAL, _COMPLEX]] / step
        self._real, self._pair = (
            factorise(csc_array(sum(z**k * A for k, A in enumerate(matrices))), _UNDETERMINED)
            for z in (real.real, pair)
        )

    def solve(self, r: Floats) -> Floats:
        """Return the solution (3, n) for the right-hand sides r (3, n), a row per stage."""
        parts = _INVERSE @ r
        real = self._real.solve(np.ascontiguousarray(parts[_REAL].real))
        pair = self._pair.solve(parts[_COMPLEX])
        return np.asarray(
            np.multiply.outer(_VECTORS[:, _REAL], real).real
            + 2.0 * np.multiply.outer(_VECTORS[:, _COMPLEX], pair).real
        )
