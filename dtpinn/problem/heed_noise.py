"""heed_noise: let data count less once a training shows that they are noisy."""

from __future__ import annotations

import math

import torch
from torch import nn

from dtpinn.problem.balance.noise import REMAINS, Misfit, multiples_of_noisy
from dtpinn.problem.balance.weights import asked_for
from dtpinn.problem.data_regions import DataRegion
from dtpinn.problem.problem import Problem


def heed_noise(problem: Problem, model: nn.Module, *, at_rest: bool = False) -> bool:
    """Let data count less, once they are seen to be noisy; return whether weights have changed.

    Of balanced weights, and of data whose weight nobody has given. :func:`dtpinn.fit` asks now and
    then.

    Parameters
    ----------
    problem : Problem
    model : nn.Module
    at_rest : bool
        Whether it is trained to its end; otherwise misfits remain that are hardly smaller than at
        the last call.
    """
    watched = _weighed_by_noise(problem)
    if not watched:
        return False
    with torch.no_grad():
        residuals = {name: r.detach() for name, r in problem.residuals(model).items()}
    residuals |= {name: r.as_noise for name, r in watched.items() if r.noise is not None}
    parts = {name: float(part) for name, part in problem.loss_parts(residuals).items()}
    others = sum(part for name, part in parts.items() if name not in watched)
    before, full = problem.adapted, {}
    for name in watched:
        full[name] = parts[name] / before.get(name, 1.0)
    misfits = {
        name: Misfit(
            full[name],
            region.values.numel(),
            at_rest or region.noise is not None or name in before
            or full[name] > REMAINS * problem.misfits.get(name, math.inf),
        )
        for name, region in watched.items() if not region.prior
    }  # fmt: skip
    priors = {n: full[n] / r.values.numel() for n, r in watched.items() if r.prior}
    found = multiples_of_noisy(misfits, others, problem.unbending, priors)
    problem.misfits = full
    if set(found) == set(before) and all(found[n] > before[n] / 2.0 for n in found):
        return False
    problem.adapted = found
    return True


def _weighed_by_noise(problem: Problem) -> dict[str, DataRegion]:
    """The data whose weight is to be chosen, by name."""
    choice = problem.weight_choice
    if choice in ("equal", "adaptive"):
        return {}
    asked = {} if isinstance(choice, str) else choice
    return {
        region.name: region
        for region in problem.posed.data
        if region.weighed_by_noise and asked_for(region.name, asked) is None
    }
