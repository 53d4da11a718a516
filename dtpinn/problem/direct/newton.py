"""Newton's method on the discrete system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

import numpy as np
from scipy.sparse import csc_array
from tqdm import tqdm

from dtpinn.arrays import Floats
from dtpinn.problem.direct.at_rest import FREE, open_at_rest, shares
from dtpinn.problem.direct.factorise import Factors, factorise
from dtpinn.problem.direct.square_system import SquareSystem, generic_values
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.jacobian.linearize import Linearization
from dtpinn.problem.time_slices import TimeSlices

MAX_ITERATIONS = 50
_UNDETERMINED = (
    "the conditions do not determine the solution (pure Neumann conditions leave a constant free, "
    "for instance, as a period in all directions does, tractions alone the motions of a rigid "
    "body, and a flow without walls its mean velocity); constraints complete it, such as "
    'constraints=[dtpinn.Mean(0.0)], dtpinn.Mean(0.0, field="u") or dtpinn.Pin(point, value)'
)


# Of the solution, or of this much of its expected size where it is smaller: what the last step may
# change and be the last. Quadratic convergence leaves 1e-8, a double root 1e-4.
_SETTLED, _SMALL = 1e-3, 1e-3


class NotConverged(RuntimeError):
    """Newton's method ends before the residual is nothing, from where it started."""


class Newton:
    """The iteration, for ``residual(u) = load``, where the load is nothing in the end.

    Full Newton steps, halved while they decrease neither the residual nor the step that would
    follow from it with the same factors: the natural monotonicity test (Deuflhard, Newton Methods
    for Nonlinear Problems, 2004, section 3.3), which does not see how the equations are scaled. A
    flow's residual may have to grow before it falls. A linear equation takes one
    factorisation; in every case the last one is used once more to polish.

    Residuals are measured in the natural units of the latest factorisation: an equation in pascals
    and a condition in metres have no common norm otherwise.

    Parameters
    ----------
    system : DiscreteSystem
    start : array
        Nodal values on X~ of a steady system, (nodes,) or (nodes, fields).

    Attributes
    ----------
    u : (n,) array
        The unknowns.

    Raises
    ------
    ValueError
        If the system is not square.
    """

    u: Floats
    _r: Floats
    _at: Linearization
    _J: csc_array

    def __init__(self, system: DiscreteSystem, start: Floats) -> None:
        steady = TimeSlices()
        self._linearize = system.linearizer_to_solve(steady)
        example = self._linearize(generic_values(system, start.shape))
        at_zero = self._linearize(np.zeros(start.shape))
        linear = all(at_zero.jacobians[name] is J for name, J in example.jacobians.items())
        rest = None if linear else at_zero
        self._system = SquareSystem(system, example, steady, rest)
        self._rest = None if rest is None else self._system.matrix(rest, rest.jacobians)
        u = self._system.restrict(start)
        self._units, self._last_step = system.units, np.zeros(len(u))
        self._rows = np.ones(())  # of all equations, until a factorisation tells them apart
        self.begin(u, np.zeros(()))

    def begin(self, u: Floats, load: Floats) -> None:
        """Start anew, with another load."""
        self._load = load
        self._take(u, *self._evaluate(u))
        self._first, self._polished = self._r, False

    @property
    def residual(self) -> Floats:
        """At the unknowns, without a load."""
        return self._r + self._load

    def iterate(self, enough: float, bar: tqdm[NoReturn], most: int = MAX_ITERATIONS) -> None:
        """Advance until the residual has fallen to `enough` of the first, in `most` iterations.

        Raises
        ------
        NotConverged
            If it does not.
        RuntimeError
            If the matrix is singular or the residual not finite.
        """
        for iteration in range(most):
            bar.set_postfix_str(f"residual {self.norm:.1e}")
            if self._done(iteration):
                return
            self._advance(enough)
            bar.update()
        raise NotConverged(
            f"Newton: no convergence after {most} iterations, the residual fell from "
            f"{self.first:.3g} to {self.norm:.3g}"
        )

    @property
    def values(self) -> Floats:
        """On X~."""
        return self._system.expand(self.u[None])

    def answer(self, residuals: Mapping[str, Floats]) -> Floats:
        """Return what changes the residuals by as much as these, to first order, on X~.

        Parameters
        ----------
        residuals : mapping of name to (n, equations) array
            Of every region of the system, by whatever derivatives.

        Raises
        ------
        RuntimeError
            If the matrix is singular.
        """
        at = replace(self._at, residuals=dict(residuals))
        r = self._system.residuals(at, self.u[None])[0]
        return self._system.expand(factorise(self._J, _UNDETERMINED).solve(r)[None])

    def check_compatible(self) -> None:
        """Warn if what the constraints complete was not compatible."""
        self._system.check_compatible(self._at, self.u)

    def check_determined(self) -> None:
        """Refuse a solution that is one of a family, which only the discretisation's error ends.

        Raises
        ------
        RuntimeError
        """
        if self._rest is None or not np.isfinite(self._rest.data).all():
            return
        free = open_at_rest(self._rest)
        if free is None:
            return
        left, right = free
        here = self._system.matrix(self._at, self._at.jacobians)
        if shares(here, self._rest, left, left, right.T).min() < FREE:
            raise RuntimeError(
                "the discrete system is singular but for the error of the discretisation: "
                f"{_UNDETERMINED}"
            )

    def check_settled(self) -> None:
        """Refuse values at which the residual is small, and the next step is not.

        Of an equation without a solution the residual may vanish as the values grow beyond all
        bounds, as that of ``lap u = 1 / u`` under Neumann conditions does.

        Raises
        ------
        NotConverged
        """
        if self._rest is None:
            return
        moved, values = (
            np.sqrt(np.mean((self._system.expand(v[None]) / self._units) ** 2))
            for v in (self._last_step, self.u)
        )
        if moved > _SETTLED * max(values, _SMALL):
            raise NotConverged(
                f"Newton: the residual has fallen from {self.first:.3g} to {self.norm:.3g}, but "
                f"the next step would change the solution by {moved / max(values, _SMALL):.0%} of "
                "itself: it does not settle, and may be on its way to infinity. The equation may "
                "have no solution under these conditions"
            )

    @property
    def norm(self) -> float:
        """Of the residual."""
        return self._size(self._r)

    @property
    def first(self) -> float:
        """Norm of the residual that the iteration started from."""
        return self._size(self._first)

    def _done(self, iteration: int) -> bool:
        """Whether nothing is left to gain; never before a factorisation has judged the system."""
        if not np.isfinite(self._r).all():
            raise RuntimeError(
                f"Newton: the residual is not finite after {iteration} iterations; check the "
                "known functions of the PDE, or start from a better guess"
            )
        return self._polished

    def _advance(self, enough: float) -> None:
        """One damped step, and a second with the same factors once they are good enough."""
        factors = factorise(self._J, _UNDETERMINED)
        self._rows = factors.scales.rows
        if self.norm > self._round_off():
            self._damped_step(factors)
        if self.norm <= max(enough * self.first, self._round_off()):
            self._last_step = factors.solve(-self._r)
            polished = self.u + self._last_step
            r, at = self._evaluate(polished)
            if self._size(r) <= self.norm:
                self.u, self._at = polished, at
            self._polished = True

    def _evaluate(self, u: Floats) -> tuple[Floats, Linearization]:
        at = self._linearize(self._system.expand(u[None]))
        return self._system.residuals(at, u[None])[0] - self._load, at

    def _take(self, u: Floats, r: Floats, at: Linearization) -> None:
        self.u, self._r, self._at = u, r, at
        self._J = self._system.matrix(at, at.jacobians)

    def _size(self, r: Floats) -> float:
        return float(np.linalg.norm(self._rows * r))

    def _round_off(self) -> float:
        """Size of the residual that rounding alone leaves: a few eps |J| |u|, in l2."""
        eps = float(np.finfo(np.float64).eps)
        return 4 * eps * self._size(abs(self._J) @ np.abs(self.u))

    def _damped_step(self, factors: Factors) -> None:
        step, length = factors.solve(-self._r), 1.0
        natural = np.linalg.norm(step / factors.scales.columns)
        while length > 1e-6:
            trial = self.u + length * step
            r, at = self._evaluate(trial)
            if np.isfinite(r).all():
                next_step = np.linalg.norm(factors.solve(-r) / factors.scales.columns)
                falls = self._size(r) <= (1.0 - 1e-4 * length) * self.norm
                if falls or next_step <= (1.0 - length / 4.0) * natural:
                    return self._take(trial, r, at)
            length /= 2.0
        raise NotConverged(
            f"Newton: no step along the Newton direction reduces the residual {self.norm:.3g}"
        )
