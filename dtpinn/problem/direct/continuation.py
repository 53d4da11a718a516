"""The direct solve of a steady problem: the floor under every training run."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from tqdm import tqdm

from dtpinn.arrays import Floats
from dtpinn.problem.direct.newton import Newton, NotConverged
from dtpinn.problem.direct.square_system import LARGE
from dtpinn.problem.discrete_system import DiscreteSystem

# Relative reduction of the residual after which the last factorisation polishes to round-off.
_NEARLY = 1e-8
# The same on the way: a start for the next is all that is wanted.
_ON_THE_WAY = 1e-3
# Iterations after which a shorter step is the faster way: from nearby Newton's method takes five.
_PATIENCE = 15
# The first step of the load, and the smallest.
_FIRST, _LEAST = 0.25, 1.0 / 512.0


def solve_steady(system: DiscreteSystem, start: Floats) -> Floats:
    """Return the nodal values on X~ of a steady system, (nodes,) or (nodes, fields).

    By Newton's method from the start. Where that fails, what the start leaves of the equations is
    taken away and brought back little by little, and the solution followed. Of a problem that
    starts from rest these are its sources and boundary data: a lid that begins to move, a load that
    grows.

    Raises
    ------
    ValueError
        If the system is not square.
    RuntimeError
        If the matrix is singular, or the solution cannot be followed.
    """
    newton = Newton(system, start)
    title = f"Newton, sparse LU of {len(newton.u)} unknowns"
    quick = True if system.posed.nodes.count < LARGE else None  # None: hidden where no terminal is
    with tqdm(desc=title, unit="step", disable=quick, leave=False) as bar:
        u, left = newton.u, newton.residual
        try:
            newton.iterate(_NEARLY, bar)
            newton.check_settled()
        except NotConverged as directly:
            newton.check_determined()
            _follow(newton, u, left, bar, directly)
            newton.check_settled()
    newton.check_compatible()
    newton.check_determined()
    return newton.values


def _follow(
    newton: Newton, u: Floats, left: Floats, bar: tqdm[NoReturn], directly: NotConverged
) -> None:
    """Solve ``residual = (1 - s) left`` for s from 0, where u solves it, to 1.

    Each s starts from where the last two point to; the step doubles when Newton's method converges
    and halves when it does not.
    """
    s, step, slope = 0.0, _FIRST, np.zeros(len(u))
    while s < 1.0:
        step = min(step, 1.0 - s)
        newton.begin(u + step * slope, (1.0 - s - step) * left)
        try:
            last = s + step == 1.0
            newton.iterate(_NEARLY if last else _ON_THE_WAY, bar, _PATIENCE)
        except RuntimeError:  # not converged, singular or not finite on the way
            step /= 2.0
            if step < _LEAST:
                raise NotConverged(
                    f"{directly}; followed from the start, the solution is lost at {s:.0%} of "
                    "sources and data. There may be none on these nodes: use a smaller spacing, "
                    "above all where the data jump or the solution is steep, or a lower order; "
                    "start from a better guess, solve(guess), such as the solution of an easier "
                    "problem; or check that the equation is differentiable"
                ) from directly
        else:
            slope, u, s, step = (newton.u - u) / step, newton.u, s + step, 2.0 * step
