"""Radau IIA for implicit systems F(t, u, u', u'') = 0: the method, and one step's linear algebra.

A polynomial starts from u_0 and satisfies the equations at s points of the step, the last of them
its end. So conditions without u', such as those on the boundary, hold exactly at the end of every
step, which is of order 2 s - 1 for a smooth solution, and of stiff components nothing is carried
over. (Hairer and Wanner, Solving Ordinary Differential Equations II, IV.8 and VI.1.)

A system of second order is that of first order in u and v = u', with v eliminated: at the stages
v is the slope of u's polynomial, and u'' that of v's own, which starts from v_0. The same order, no
further unknowns; and v needs no equation of its own where a condition on u stands for one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csc_array
from scipy.special import roots_jacobi

from dtpinn.arrays import Floats
from dtpinn.problem.direct.factorise import factorise

_UNDETERMINED = (
    "equation, conditions and rates together do not determine the next step; every field needs an "
    "equation, and a condition at every node of the boundary"
)


class Radau:
    """The method with a number of stages.

    What happens in a step is told by increments, u at the stages less u at the beginning: of these
    the rates are no differences of numbers that are nearly equal.

    Parameters
    ----------
    stages : int
        s >= 2.

    Attributes
    ----------
    points : (s,) array
        Where in the unit step the equations are required.
    derivative : (s, s) array
        u' at the stages is ``derivative @ increments / step``; the inverse of Butcher's matrix.
    backwards : (s,) array
        Increment at the beginning, extrapolated from those at the stages: algebraic unknowns have
        another value there than the step starts from.

    Examples
    --------
    >>> radau = Radau(3)
    >>> bool(np.allclose(radau.points, [(4 - 6**0.5) / 10, (4 + 6**0.5) / 10, 1]))
    True
    >>> parabola = 4.0 * radau.points[:, None] ** 2  # on a step of length 2: t^2
    >>> [rate[-1].round(9) for rate in radau.rates(parabola, np.zeros((2, 1)), 2.0)]
    [array([4.]), array([2.])]
    """

    def __init__(self, stages: int) -> None:
        inner = 0.5 * (1.0 + roots_jacobi(stages - 1, 1, 0)[0])
        self.points = np.append(inner, 1.0)
        self.derivative = _differentiation(np.append(0.0, self.points))[1:, 1:]
        self.backwards = _interpolation(self.points, np.zeros(1))[0]
        self._eigenvalues, self._vectors = np.linalg.eig(self.derivative)
        self._inverse = np.linalg.inv(self._vectors)

    def __repr__(self) -> str:
        return f"Radau({len(self.points)})"

    @property
    def modes(self) -> list[int]:
        """The real eigenvalues of `derivative`, and one of each conjugate pair, by number."""
        return np.flatnonzero(self._eigenvalues.imag >= 0.0).tolist()

    def onwards(self, increments: Floats) -> Floats:
        """Return increments of the next step of the same length, extrapolated from this one's.

        The value at the beginning of this step is not used: there the algebraic unknowns may be
        anything.
        """
        following = _interpolation(self.points, 1.0 + self.points) @ increments
        return np.asarray(following - increments[-1])

    def rates(self, increments: Floats, state: Floats, step: float) -> list[Floats]:
        """Return u' at the stages, and u'' in a system of second order: (s, n) each.

        Parameters
        ----------
        increments : (s, n) array
        state : (order, n) array
            u at the beginning of the step, and u' in a system of second order.
        step : float
        """
        rates = [self.derivative @ increments / step]
        for start in state[1:]:
            rates.append(self.derivative @ (rates[-1] - start) / step)
        return rates


class StageMatrix:
    """``sum_k (derivative / step)^k (x) A_k``, factorised: simplified Newton for all stages.

    In the eigenvectors of the derivative it falls apart into real systems and conjugate pairs, of
    which one is solved: for three stages two factorisations of the size of A_0 instead of one of
    three times that.

    Parameters
    ----------
    radau : Radau
    matrices : sequence of (n, n) csc_array
        A_k: the derivatives of the system in u, in u' and, if it is of second order, in u''.
    step : float

    Raises
    ------
    RuntimeError
        If it is singular.
    """

    def __init__(self, radau: Radau, matrices: Sequence[csc_array], step: float) -> None:
        self._radau, self._factors = radau, {}
        for mode in radau.modes:
            z = radau._eigenvalues[mode] / step
            z = z if z.imag else z.real
            whole = csc_array(sum(z**k * A for k, A in enumerate(matrices)))
            self._factors[mode] = factorise(whole, _UNDETERMINED)

    def solve(self, r: Floats) -> Floats:
        """Return the solution (s, n) for the right-hand sides r (s, n), a row per stage."""
        parts, total = self._radau._inverse @ r, np.zeros(r.shape)
        for mode, factors in self._factors.items():
            pair = self._radau._eigenvalues[mode].imag != 0.0
            part = parts[mode] if pair else np.ascontiguousarray(parts[mode].real)
            solved = np.multiply.outer(self._radau._vectors[:, mode], factors.solve(part)).real
            total += 2.0 * solved if pair else solved
        return total


def _barycentric(points: Floats) -> Floats:
    """Weights of barycentric interpolation (Berrut and Trefethen, SIAM Review 46, 2004)."""
    apart = points[:, None] - points + np.eye(len(points))
    return np.asarray(1.0 / apart.prod(axis=1))


def _differentiation(points: Floats) -> Floats:
    """Slopes at points of the polynomial through values there; exact to rounding."""
    w = _barycentric(points)
    apart = points[:, None] - points + np.eye(len(points))
    slopes = w / w[:, None] / apart
    np.fill_diagonal(slopes, 0.0)
    np.fill_diagonal(slopes, -slopes.sum(axis=1))
    return np.asarray(slopes)


def _interpolation(points: Floats, at: Floats) -> Floats:
    """Values elsewhere, at none of the points, of the polynomial through values there."""
    shares = _barycentric(points) / (at[:, None] - points)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
