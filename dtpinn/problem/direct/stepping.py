"""Steps in time with the discrete system: simplified Newton on the stages of Radau IIA."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dtpinn.arrays import Floats
from dtpinn.problem.direct.radau import Radau, StageMatrix
from dtpinn.problem.direct.square_system import SquareSystem, generic_values
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.jacobian.linearize import Linearization
from dtpinn.problem.time_slices import TimeSlices

# Order 9. With three stages, of order 5, a string takes 8 times as many steps for an error of
# 1e-10, heat in a disk 10 times; for 1e-7 4 and 2 times. A step of five solves three systems for
# two, and its factors take 5/3 of the memory.
STAGES = 5
MAX_ITERATIONS = 25
# Contraction of an iteration from which on the next step factorises anew.
_SLOW = 0.1
# Share of the tolerance that the iteration may leave.
_SHARE = 0.01
_TINY = float(np.finfo(np.float64).tiny)
# Factorisations kept: those of the present step, and of its half, which it is compared with.
_KEPT = 2


@dataclass
class _Factors:
    matrix: StageMatrix
    at: Linearization
    time: float  # of the step that they were made in, and its length
    step: float
    slow: bool = False

    def near(self, step: float) -> bool:
        """Whether they serve for a step: slices in float32 are equidistant to 1e-7 only."""
        return abs(step - self.step) <= 1e-5 * step

    def exact(self, at: Linearization, time: float, step: float) -> bool:
        """Whether the equation is linear with constant coefficients, so that one solve will do.

        The same Jacobian objects at another state and another time, all stages included.
        """
        pairs = zip((self.at.jacobians, *self.at.rates), (at.jacobians, *at.rates), strict=True)
        same = all(old[name] is new[name] for old, new in pairs for name in old)
        return same and time != self.time and abs(step - self.step) <= 1e-13 * step


class Stepper:
    """Advances the state of a space-time problem, (order, n): the unknowns, and of second order
    in time their rates.

    Parameters
    ----------
    system : DiscreteSystem
    tolerance : float

    Attributes
    ----------
    system : SquareSystem
    evolving : (order, fields) bool array
        Which fields have a rate in the equations, and which a second one.
    factorizations : int
        Made so far.
    rates : list of (n,) array
        Of the unknowns, at the end of the last step: as many as there are derivatives in time.
    passed : list of (time, u, du/dt)
        The ends of the steps of the last march.
    left : float
        What the iterations of the last march have left of the unknowns, relative, or by way of
        their rates will leave.
    """

    rates: list[Floats]
    passed: list[tuple[float, Floats, Floats]]
    left: float

    def __init__(self, system: DiscreteSystem, tolerance: float) -> None:
        times = system.posed.slices.values
        assert times is not None
        self._tolerance, self._duration = tolerance, system.posed.slices.duration
        self._radau = Radau(STAGES)
        stages = self._stages(float(times[0]), float(times[1] - times[0]))
        self._linearizer = system.linearizer_to_solve(stages)
        self._order = system.posed.time_order
        values = generic_values(system, self._linearizer.shape)
        rates = [values[::-1] / self._duration, values / self._duration**2]
        example = self._linearizer(values, *rates[: self._order])
        self.system = SquareSystem(system, example, stages)
        self.evolving = self._fields_with_rate(example)
        self._swinging = self._with_second_rate(example)
        self._factors: list[_Factors] = []  # the latest last
        self._units = system.units if self.system.fields > 1 else np.ones(1)
        self.factorizations = 0

    def march(self, state: Floats, begin: float, end: float, count: int) -> Floats | None:
        """Take equal steps; None if the iteration of one of them fails."""
        step = (end - begin) / count
        guess, self.left, self.passed = self._straight_on(state, step), 0.0, []
        for k in range(count):
            found = self._step(state, guess, begin + k * step, step)
            if found is None:
                return None
            self.rates = [rate[-1] for rate in self._radau.rates(found, state, step)]
            state = np.stack([state[0] + found[-1], *self.rates[:-1]])
            self.passed.append((begin + (k + 1) * step, state[0], self.rates[0]))
            guess = self._radau.onwards(found)
        return state

    def beginning(self, state: Floats, begin: float, step: float) -> Floats | None:
        """Return all unknowns at the begin of a step as it makes them; None if it fails.

        Algebraic ones have no part in the state that a step starts from, and follow from it. The
        error is of the order of the stages in the step.
        """
        found = self._step(state, self._straight_on(state, step), begin, step)
        return None if found is None else np.asarray(state[0] + self._radau.backwards @ found)

    def norm(self, u: Floats) -> float:
        """Of the values on X: those at the ghosts are means to an end, and less certain.

        Each field in its expected size: displacement and pressure have no common norm otherwise.
        """
        on_x = u[..., : self.system.on_nodes]
        return float(np.linalg.norm(on_x.reshape(-1, self.system.fields) / self._units))

    def swing(self, state: Floats) -> float:
        """Norm of those rates that the state holds because a second one follows from them."""
        if self._order < 2:
            return 0.0
        return self.norm(np.where(self._swinging, state[1], 0.0))

    def _straight_on(self, state: Floats, step: float) -> Floats:
        """The increments of a step in which nothing happens."""
        velocity = state[1] if self._order == 2 else np.zeros(state.shape[1])
        return np.multiply.outer(step * self._radau.points, velocity)

    def _step(self, state: Floats, guess: Floats, time: float, step: float) -> Floats | None:
        """Return the increments of the unknowns to the stages, the last of them to the end."""
        self._linearizer.move(self._stages(time, step))
        fresh = False
        while True:
            factors = next((f for f in self._factors if f.near(step)), None)
            if factors is None or (factors.slow and not fresh):
                factors, fresh = self._factorise(state, guess, time, step), True
            solved = self._iterate(factors, state, guess, time, step)
            if solved is not None or fresh:
                return solved
            factors.slow = True  # made at another state, too far from this one

    def _iterate(
        self, factors: _Factors, state: Floats, guess: Floats, time: float, step: float
    ) -> Floats | None:
        found, previous, u = guess, np.inf, state[0]
        # Of second order, what is left of the unknowns is left of their rates and goes on.
        lasting = self._duration / step if self._order == 2 else 1.0
        enough = max(_SHARE * self._tolerance / lasting, 10 * np.finfo(float).eps)
        for _ in range(MAX_ITERATIONS):
            at = self._linearize(state, found, step)
            if np.isfinite(previous) and factors.exact(at, time, step):
                return found  # and the first change was all
            change = factors.matrix.solve(-self.system.residuals(at, u + found))
            found = found + change
            if not np.isfinite(change).all():
                return None
            size = self.norm(change) / max(self.norm(u), self.norm(u + found[-1]), _TINY)
            if size <= np.finfo(float).eps:
                return found
            if size >= previous:
                # Round-off, where the changes are small already; otherwise divergence.
                return found if size <= 10 * enough else None
            if np.isfinite(previous) and (left := size * size / (previous - size)) <= enough:
                factors.slow = size > _SLOW * previous
                self.left += left * lasting
                return found
            previous = size
        return None

    def _factorise(self, state: Floats, guess: Floats, time: float, step: float) -> _Factors:
        """At the last stage; in the place of the oldest if there are enough."""
        at = self._linearize(state, guess, step)
        last = STAGES - 1
        matrices = [self.system.matrix(at, which, last) for which in (at.jacobians, *at.rates)]
        others = [f for f in self._factors if not f.near(step)]
        self._factors = others[-(_KEPT - 1) :]  # before the new ones are made: they are large
        made = _Factors(StageMatrix(self._radau, matrices, step), at, time, step)
        self._factors.append(made)
        self.factorizations += 1
        return made

    def _linearize(self, state: Floats, increments: Floats, step: float) -> Linearization:
        parts = [state[0] + increments, *self._radau.rates(increments, state, step)]
        return self._linearizer(*map(self.system.expand, parts))

    def _stages(self, begin: float, step: float) -> TimeSlices:
        """The times in a step at which the equations are required."""
        return TimeSlices(torch.from_numpy(begin + step * self._radau.points))

    def _fields_with_rate(self, example: Linearization) -> NDArray[np.bool_]:
        fields = np.arange(self.system.fields)
        columns = [
            np.concatenate([r.indices for r in by_name.values()]) for by_name in example.rates
        ]
        *first, last = [np.isin(fields, found % len(fields)) for found in columns]
        return np.array([*(which | last for which in first), last])

    def _with_second_rate(self, example: Linearization) -> NDArray[np.bool_]:
        """Which unknowns: not where a condition stands in the place of the equation."""
        if self._order < 2:
            return np.zeros(0, dtype=np.bool_)
        matrix = self.system.matrix(example, example.rates[1])
        return np.asarray(np.diff(matrix.indptr) > 0)
