"""Whether a training has stopped far above what its own discrete system can reach."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch
from torch import nn

from dtpinn.optim import GaussNewton
from dtpinn.problem import DiscreteProblem, Problem
from dtpinn.problem.description import told_weights
from dtpinn.problem.estimate import relative_distance
from dtpinn.training.result import Result

# Unknowns up to which the direct solve takes a few seconds, by the dimension of space.
AFFORDABLE = {1: 20_000, 2: 20_000, 3: 4_000}
# In space-time, where it is integrated, to a tolerance that shows what is told.
AFFORDABLE_IN_TIME, TOLERANCE = 1_000, 1e-3
# Relative distance, and that in errors of the discretisation, from which on it is told; in
# space-time, where that error takes too long to tell, the distance alone.
FAR, TIMES_THE_ERROR, FAR_IN_TIME = 0.01, 10.0, 0.05


def distance_to_solution(model: nn.Module, problem: Problem) -> float | None:
    """Return |model - u_p| / |u_p| in l2 on X, u_p being the discrete solution.

    None where it is not known at the price of a few seconds: without matrices, with coefficients to
    be found, with too many unknowns, or where the discrete system cannot be solved.
    """
    if not isinstance(problem, DiscreteProblem) or not _affordable(problem):
        return None
    try:
        # What there is to say of the system is not of training, and a model that draws random
        # numbers goes on as if it had not been asked.
        with warnings.catch_warnings(), torch.no_grad(), generators_kept(problem):
            warnings.simplefilter("ignore")
            solution = problem.solve(guess=model, time_tolerance=TOLERANCE)
            u = problem.evaluate(model, problem.points).to(solution.dtype)
            distance = relative_distance(problem, u, solution)
    except Exception:  # whatever it is, the training has ended well
        return None
    return distance if math.isfinite(distance) else None


def warn_if_far(result: Result) -> None:
    """Warn, with figures and remedies, if the distance is not one of the discretisation."""
    model, problem, distance = result.model, result.problem, result.distance
    if distance is None or distance <= FAR:
        return
    assert isinstance(problem, DiscreteProblem)
    if problem.times is not None and distance <= FAR_IN_TIME:
        return
    error = None
    try:
        with warnings.catch_warnings(), generators_kept(problem):
            warnings.simplefilter("ignore")
            if problem.times is None:
                error = problem.estimate(model).discretisation
    except Exception:  # then nothing is known of it
        error = None
    if error is not None and not distance > TIMES_THE_ERROR * error:
        return
    known = "" if error is None else f", whose own error is about {error:.1e}"
    warnings.warn(
        f"fit: training has ended at a relative distance of {distance:.1e} from the discrete "
        f"solution{known}: problem.solve() knows better than this model. "
        f"Train {'; '.join(_ways(result, problem))}. "
        "problem.compare(model) tells whether a residual is at fault",
        stacklevel=4,
    )


def _ways(result: Result, problem: Problem) -> Iterator[str]:
    """What may get further; nobody is sent where they come from."""
    if getattr(result.optimizer, "stop_reason", None) is None:  # it has not come to its end
        yield "longer"
    if all(stage.optimizer != GaussNewton.__name__ for stage in result.stages):
        yield 'with optimizer="gauss-newton"'
    yield "with a wider network, or another seed"
    yield (
        f"with other weights (in use: {told_weights(problem)}), "
        "discretize(..., weights={'pde': ...})"
    )


def generators_kept(problem: Problem) -> AbstractContextManager[None]:
    """While open, whatever draws random numbers takes none from what comes after."""
    devices = [problem.device] if problem.device.type == "cuda" else []
    kept: AbstractContextManager[None] = torch.random.fork_rng(devices=devices)
    return kept


def _affordable(problem: DiscreteProblem) -> bool:
    unknowns = len(problem.nodes.extended) * problem.pde.field_count
    to_be_found = any(p.requires_grad for p in problem.pde.parameters())
    steady = problem.times is None
    most = AFFORDABLE[problem.nodes.dimension] if steady else AFFORDABLE_IN_TIME
    return not to_be_found and unknowns <= most
