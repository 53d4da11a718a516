"""The method of lines: the same matrices in space, time as exact as asked for.

Time is not discretised in a DT-PINN, so the floor of a space-time problem is its semi-discrete
solution: the equations residual(u, du/dt, d2u/dt2) = 0 at the nodes, with the conditions, are a
system of differential and algebraic equations in time, which starts from the initial condition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from dtpinn.arrays import Floats
from dtpinn.problem.between_slices import Path
from dtpinn.problem.direct.initial_values import initial_values
from dtpinn.problem.direct.stepping import Stepper
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.dry_run import WITH_VELOCITY

MAX_STEPS = 1024
"""Between two slices."""
KEPT_STEPS = 16
"""Of those between two slices; more, while all of them take less than this number of values."""
KEPT_VALUES = 2**23
SETTLED = {1: 64, 2: 256}
"""Steps from which on the gain by doubling them tells how many more it would take.

By the order in time. What swings does not die out: the shortest waves of the nodes, of which the
error of the initial values always has some, are to be resolved before anything is gained. For a
beam of 20 nodes that begins at 128 steps.
"""
# Of a step: what is extrapolated to its beginning is of order 5 only, where steps are of order 9.
_SHORT = 0.1
_SWINGS = (
    ". In an equation of second order in time the shortest waves of the nodes do not die out, and "
    "the error of the space discretisation is in them: a tolerance below it takes steps as short "
    "as they swing, so times closer to each other, or a larger spacing"
)
# By the order of the rate.
_UNTOLD = {
    1: "initial() says nothing of the field(s) {}, whose rate is in the equations: it must give a "
    "residual for each of them",
    2: "initial() says nothing of the rate of the field(s) {}, whose second derivative in time is "
    f"in the equations: it must give two residuals for each of them, {WITH_VELOCITY}",
}


@dataclass(frozen=True)
class Trajectory:
    """The semi-discrete solution, and what it took.

    Attributes
    ----------
    values : Tensor, (n * times,) or (n * times, fields)
        On X at all times, node-major as ``problem.points``; float64.
    time_error : float
        Sum over the slices of the estimated errors in time, relative to the largest l2 norm of a
        slice so far: what is left beside the error of the space discretisation. Of second order in
        time, errors of the rates are in it, as what they make of the later slices.
    steps : int
        That led to these values; the coarser ones that they were compared with not counted.
    factorizations : int
    final : (nodes,) or (nodes, fields) array
        u on X~ at the last of the times.
    final_rates : list of arrays of the same shape
        du/dt there, and d2u/dt2 where a residual asks for it.
    path : Path
        What the integration has passed, at the slices and between them.
    """

    values: Tensor
    time_error: float
    steps: int
    factorizations: int
    final: Floats = field(repr=False)
    final_rates: list[Floats] = field(repr=False)
    path: Path = field(repr=False)


def solve_in_time(system: DiscreteSystem, start: Floats, time_tolerance: float) -> Trajectory:
    """Return the semi-discrete solution at the slices of a space-time problem.

    Parameters
    ----------
    system : DiscreteSystem
        In space-time.
    start : (nodes,) or (nodes, fields) array on X~
        Where the initial condition is solved from.
    time_tolerance : float
        Between two slices, relative in l2.

    Raises
    ------
    ValueError, RuntimeError
        As :func:`dtpinn.problem.integrate`.
    """
    if not time_tolerance > 0:
        raise ValueError(f"time_tolerance must be a positive number, got {time_tolerance!r}")
    posed = system.posed
    times = posed.slices.values
    assert times is not None
    begun, determined = initial_values(system, start)
    stepper, until = Stepper(system, time_tolerance), float(times[-1])
    walk = _Walk(stepper, begun, time_tolerance, until, len(times) - 1)
    evolving = walk.stepper.evolving
    for order, open_fields in enumerate(evolving & ~determined, start=1):
        if open_fields.any():
            names = ", ".join(posed.pde.field_names[k] for k in np.flatnonzero(open_fields))
            raise ValueError(_UNTOLD[order].format(names))
    spans = list(pairwise(times.tolist()))
    with tqdm(spans, desc="solve", unit="slice", delay=2.0, disable=None, leave=False) as bar:
        for begin, end in bar:
            walk.advance(begin, end)
            bar.set_postfix_str(f"{walk.count} steps each, time error {walk.error:.0e}")
    if not (given := evolving[0] | determined[0]).all():
        walk.complete_start(*spans[0], ~given)
    return walk.trajectory(system)


class _Walk:
    """From slice to slice, with as many steps as the tolerance needs."""

    def __init__(
        self, stepper: Stepper, start: Floats, tolerance: float, until: float, spans: int
    ) -> None:
        self.stepper, self._tolerance, self._until = stepper, tolerance, until
        self._state = np.array([stepper.system.restrict(part) for part in start])
        self._start, self.slices = self._state, [self._state[0]]
        # Of first order, nothing tells the rates at the start.
        self._velocity = None if len(start) == 1 else self._state[1]
        self._passed: list[tuple[float, Floats, Floats]] = []
        self._kept = max(KEPT_STEPS, KEPT_VALUES // (spans * self._state[0].size))
        self.error, self.steps = 0.0, 0
        # Rates of ghosts, of which nothing is known at the start, are right after as many steps.
        self.count = len(start)
        self.first = 0  # steps to the second slice
        self._scale = self._swing = 0.0

    def advance(self, begin: float, end: float) -> None:
        """Append the next slice."""
        state, count = self._state, self.count
        coarse, previous = self.stepper.march(state, begin, end, count), np.inf
        least = np.inf
        while True:
            fine = self.stepper.march(state, begin, end, 2 * count)
            error = self._difference(fine, coarse, self._until - begin) + self.stepper.left
            least = min(least, error)
            if error <= self._tolerance:
                break
            if 2 * count >= MAX_STEPS or self._hopeless(2 * count, error, previous):
                raise RuntimeError(self._failure(begin, end, 2 * count, error, least))
            coarse, previous, count = fine, error, 2 * count
        assert fine is not None
        self._state = fine
        self.slices.append(fine[0])
        apart = -(-len(self.stepper.passed) // self._kept)
        self._passed += [*self.stepper.passed[::-apart][:0:-1], (end, *self.stepper.passed[-1][1:])]
        self.error += error
        self.steps += 2 * count
        self.first = self.first or self.steps
        # Order 9 gains a factor of 512 by halving; kept is what leaves half of the tolerance.
        self.count = max(1, count // 2) if 1024 * error <= self._tolerance else count

    def complete_start(self, begin: float, end: float, fields: NDArray[np.bool_]) -> None:
        """Fill in the fields of the first slice that the equations determine and initial() not."""
        system, start = self.stepper.system, self.slices[0]
        found = self.stepper.beginning(self._start, begin, _SHORT * (end - begin) / self.first)
        if found is not None:  # steps that are longer have succeeded
            u, v = (system.expand(w[None]).reshape(-1, system.fields) for w in (start, found))
            self.slices[0] = system.restrict(np.where(fields, v, u))

    def trajectory(self, system: DiscreteSystem) -> Trajectory:
        """Return what has been found."""
        posed, expand = system.posed, self.stepper.system.expand
        on_x = expand(np.array(self.slices))[: posed.nodes.count * posed.slices.count]
        final, *rates = (expand(w[None]) for w in (self.slices[-1], *self.stepper.rates))
        return Trajectory(
            torch.from_numpy(on_x).to(posed.device), self.error, self.steps,
            self.stepper.factorizations, final, rates, self._path(system),
        )  # fmt: skip

    def _path(self, system: DiscreteSystem) -> Path:
        posed, expand = system.posed, self.stepper.system.expand
        assert posed.slices.values is not None
        times, values, rates = zip(*self._passed, strict=True)
        start = np.full_like(self.slices[0], np.nan) if self._velocity is None else self._velocity
        both = ([self.slices[0], *values], [start, *rates])
        count = len(times) + 1
        u, rate = (
            expand(np.array(part)).reshape(-1, count, self.stepper.system.fields) for part in both
        )
        # The others follow at each time anew; in a step theirs tell of where it started.
        rate[..., ~self.stepper.evolving[0]] = np.nan
        on_x = (part[: posed.nodes.count] for part in (u, rate))
        return Path(np.array([float(posed.slices.values[0]), *times]), *on_x)

    def _hopeless(self, count: int, error: float, previous: float) -> bool:
        """Whether the gain of the last doubling will not do: a jump in time, or round-off."""
        if count < SETTLED[1 if self._velocity is None else 2] or not np.isfinite(previous):
            return False
        order = np.log2(previous / error) if error < previous else 0.0
        needed = np.log2(error / self._tolerance) / order if order > 0.0 else np.inf
        return bool(np.log2(count) + needed > np.log2(MAX_STEPS))

    def _failure(self, begin: float, end: float, count: int, error: float, least: float) -> str:
        span = f"solve: from t = {begin:g} to {end:g}"
        if not np.isfinite(error):
            return (
                f"{span} Newton's iteration does not converge, not even with {count} steps: the "
                "solution may cease to exist there; shorten the times, or check the equation's sign"
            )
        return (
            f"{span} the time tolerance {self._tolerance:.1e} is not reached: {count} steps still "
            f"change the result by {error:.1e}. Attainable is time_tolerance={_above(least)} here; "
            "or see whether everything is smooth in time and the initial condition agrees with "
            f"those on the boundary{'' if self._velocity is None else _SWINGS}"
        )

    def _difference(self, fine: Floats | None, coarse: Floats | None, left: float) -> float:
        """Relative to the largest slice so far; that of rates by what they do in the time left."""
        if fine is None or coarse is None:
            return float("inf")
        norm, swing = self.stepper.norm, self.stepper.swing
        self._scale = max(self._scale, norm(self.slices[-1]), norm(fine[0]))
        self._swing = max(self._swing, swing(self._state), swing(fine))
        difference, of_rates = norm(fine[0] - coarse[0]), swing(fine - coarse)
        # What swings does not go on, and moves the unknowns by as much of them as of the rates.
        relative = min(_ratio(of_rates, self._swing), _ratio(of_rates * left, self._scale))
        return _ratio(difference, self._scale) + relative


def _above(error: float) -> str:
    """Twice an error, rounded up to one digit.

    Examples
    --------
    >>> _above(6.2e-05)
    '2e-04'
    """
    size = 10.0 ** np.floor(np.log10(2.0 * error))
    return f"{np.ceil(2.0 * error / size) * size:.0e}"


def _ratio(part: float, whole: float) -> float:
    return part / whole if part else 0.0
