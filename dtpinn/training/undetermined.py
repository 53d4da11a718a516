"""Whether the residuals depend on the unknown coefficients at all, where a training has ended."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from dtpinn.problem import Problem
from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.problem import Model
from dtpinn.training.result import Result
from dtpinn.training.stalled import generators_kept

# Of the derivative for a wave: what a coefficient multiplies has vanished below it.
VANISHED = 1e-2
# Fractions that are the same: where the coefficient does count they were 3 to 40 times apart.
ALIKE = 2.0
# Points up to which derivatives are taken by automatic differentiation, which takes memory.
AFFORDABLE = 50_000


def undetermined(model: Model, problem: Problem) -> dict[str, float]:
    """Return the unknown coefficients that the residuals do not determine, and how far from it.

    Those that are single numbers. The derivative of each residual in a coefficient is compared with
    what it is for a plane wave, as large as the solution should be and as long as the domain. A
    coefficient is not determined if it is below a hundredth of that everywhere, and no larger a
    fraction than the residual itself is of the wave's: it is made of errors, then. So it is no
    matter of the coefficient's own value, which may be 0, nor of units, and a training that has
    only begun shows nothing. With the derivatives of the network itself, as matrices can be
    fulfilled to the last digit by a coefficient that makes up for their truncation error.

    Two coefficients that make up for each other are not found.

    Parameters
    ----------
    model : callable
        Where training has ended.
    problem : Problem

    Returns
    -------
    dict of str to float
        The largest fraction of the derivative for the wave.

    Examples
    --------
    >>> import dtpinn
    >>> k = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    >>> pde = dtpinn.Poisson(None, dtpinn.Robin(1.0, k, lambda x, n: n[:, 1]))
    >>> problem = dtpinn.discretize(pde, dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2))
    >>> undetermined(lambda x: x[:, 0], problem), undetermined(lambda x: 0 * x[:, 0], problem)
    ({}, {'boundary.beta': 0.0})
    """
    named = problem.pde.named_coefficients()
    sought = {name: c for name, c in named if c.requires_grad and c.numel() == 1}
    if not sought:
        return {}
    exact = AutomaticProblem(problem.posed) if len(problem.points) <= AFFORDABLE else problem
    with generators_kept(problem), torch.enable_grad():
        here, wave = (_sizes(exact, f, list(sought.values())) for f in (model, _wave(problem)))
    if not torch.isfinite(torch.cat([wave.slopes, wave.residuals[None]])).all():
        return {}
    small = here.slopes <= VANISHED * wave.slopes
    left_over = here.slopes * wave.residuals <= ALIKE * here.residuals * wave.slopes
    fractions = torch.where(wave.slopes > 0.0, here.slopes / wave.slopes, 0.0).amax(1).tolist()
    found = (small & left_over).all(1).tolist()
    told = zip(sought, fractions, found, strict=True)
    return {name: fraction for name, fraction, is_so in told if is_so}


def warn_if_undetermined(result: Result) -> None:
    """Warn of coefficients that could be anything."""
    assert result.problem is not None
    try:
        found = undetermined(result.model, result.problem)
    except Exception:  # whatever it is, the training has ended well
        return
    for name, fraction in found.items():
        warnings.warn(
            f"fit: the residuals do not determine the unknown coefficient {name}: their derivative "
            f"in it is {fraction:.1e} of what it is for a function at large, so that {name} = "
            f"{result.coefficients[name]:.3g} means nothing. What it multiplies vanishes in this "
            "solution, or it is not used. Add data of a solution where it counts, or keep it from "
            "being learnt: requires_grad_(False)",
            stacklevel=4,
        )


class _Sizes(NamedTuple):
    """Root mean squares, of all equations: (e,), and their derivatives in coefficients, (c, e)."""

    residuals: Tensor
    slopes: Tensor


def _sizes(problem: Problem, model: Model, coefficients: list[Tensor]) -> _Sizes:
    """Derivatives by going backward twice, as the first time is linear in its seed."""
    residuals, slopes = [], []
    for r in problem.residuals(model).values():
        r = r[:, None] if r.dim() == 1 else r
        seed = torch.zeros_like(r, requires_grad=True)
        gradients = torch.autograd.grad(
            (r * seed).sum(), coefficients, create_graph=True,
            allow_unused=True, materialize_grads=True,
        )  # fmt: skip
        # The zero makes those part of the graph that nothing depends on.
        linear = (g.sum() + 0.0 * seed.sum() for g in gradients)
        columns = [torch.autograd.grad(g, seed, retain_graph=True)[0] for g in linear]
        residuals.append(_rms(r.detach()))
        slopes.append(torch.stack([_rms(column) for column in columns]))
    return _Sizes(torch.cat(residuals), torch.cat(slopes, dim=1))


def _rms(values: Tensor) -> Tensor:
    return values.double().square().mean(0).sqrt()


def _wave(problem: Problem) -> Model:
    """A plane wave in every field, of which no derivative vanishes, of the problem's sizes."""
    points = problem.points
    first, last = points.amin(0), points.amax(0)
    number = math.pi * (1.0 + 0.3 * torch.arange(points.shape[1]).to(points)) / (last - first)
    scales = problem.scales
    centre, unit = (torch.as_tensor(s).to(points) for s in (scales.centre, scales.unit))

    def wave(x: Tensor) -> Tensor:
        phase = 1.0 + (x - first) @ number
        return centre + unit * torch.sin(phase[:, None] + torch.arange(len(unit)).to(x))

    return wave
