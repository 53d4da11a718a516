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
    known = {name: region.as_noise for name, region in watched.items() if region.noise is not None}
    parts = {n: float(part) for n, part in problem.loss_parts(residuals | known).items()}
    if not math.isfinite(sum(parts.values())):
        return False
    before, last = problem.adapted, problem.misfits
    full = {name: parts[name] / before.get(name, 1.0) for name in watched}

    def remains(name: str) -> bool:
        hardly_smaller = full[name] > REMAINS * last.get(name, math.inf)
        return at_rest or name in known or name in before or hardly_smaller

    misfits = {
        name: Misfit(full[name], region.values.numel(), remains(name))
        for name, region in watched.items()
        if not region.prior
    }
    priors = {n: full[n] / region.values.numel() for n, region in watched.items() if region.prior}
    others = sum(part for name, part in parts.items() if name not in watched)
    found = multiples_of_noisy(misfits, others, problem.unbending, priors)
    problem.misfits = full
    if found.keys() == before.keys() and all(found[n] > before[n] / 2.0 for n in found):
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
