"""Both kinds of derivative side by side: which residual does not say what it should?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dtpinn.output import format_table
from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.balance.weights import balanced_weights
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.terms import sizes_of_terms

# How many times the truncation error is still one: orders are not exact, nor are clouds alike.
FACTOR = 10.0
# Of a term's own size: where the truncation error is that large, a wrong sign would hide in it.
TELLING = 0.5
# In spacings: farther from a seam than this no stencil of order 6 or less reaches across it.
BESIDE = {1: 9.0, 2: 6.0, 3: 5.0}


@dataclass(frozen=True)
class ResidualComparison:
    """One residual of a model by both kinds of derivative.

    Attributes
    ----------
    residual : str
    rms, automatic : float
        Root mean square, by the matrices and by automatic differentiation.
    largest : float
        Largest difference at any point.
    relative : float
        l2 norm of the difference, several equations each in its own size, relative to that of the
        terms that the model brings into it. The residual itself would be no measure: it is nearly
        zero where the model is good.
    truncation : float or None
        The same of the truncation error, estimated: the yardstick. None where the nodes carry no
        other RBF-FD to compare with.
    round_off : float
        Of the dtype: smaller differences mean nothing.
    by_equation : tuple of (float, float or None)
        Of a residual of several equations `relative` and `truncation` of each by itself.
    """

    residual: str
    rms: float
    automatic: float
    largest: float
    relative: float
    truncation: float | None
    round_off: float
    by_equation: tuple[tuple[float, float | None], ...] = ()

    @property
    def agrees(self) -> bool | None:
        """Whether the difference is one of truncation; None where that cannot be told."""
        if self.relative <= self.round_off:
            return True
        if self.truncation is None:
            return None if self.relative <= TELLING else False
        if not self.relative <= FACTOR * self.truncation:  # also for NaN
            return False
        return True if FACTOR * self.truncation < TELLING else None

    @property
    def verdict(self) -> str:
        """Plain words."""
        if self.agrees:
            return "agrees"
        if self.truncation is None:
            return "no yardstick" if self.agrees is None else "DIFFERS"
        if self.agrees is None:
            return "cannot be told: nodes too coarse for this model"
        return f"DIFFERS: {self.relative / max(self.truncation, self.round_off):.0f} x truncation"


@dataclass(frozen=True)
class Comparison:
    """Residuals of a model by matrices and by automatic differentiation; ``print`` it.

    Where a residual differs by much more than the truncation error, one of its matrices is not the
    operator it stands for, or it is not pointwise, or the model is not smooth: automatic
    differentiation sees no second derivative of a ReLU, and none of a jump in a coefficient.

    Attributes
    ----------
    parts : tuple of ResidualComparison
    own_matrices : bool
    """

    parts: tuple[ResidualComparison, ...]
    own_matrices: bool

    @property
    def agrees(self) -> bool:
        """Whether every residual agrees as far as can be told."""
        return all(part.agrees is not False for part in self.parts)

    def __str__(self) -> str:
        header = ["residual", "rms", "automatic", "largest", "relative l2", "truncation", "verdict"]
        rows: list[list[object]] = []
        for p in self.parts:
            rows.append(
                [p.residual, p.rms, p.automatic, p.largest, p.relative, p.truncation, p.verdict]
            )
            rows += [
                [f"  equation {number}", "", "", "", relative, truncation, ""]
                for number, (relative, truncation) in enumerate(p.by_equation)
            ]
        yardstick = "RBF-FD of order 2" if self.own_matrices else "matrices of the next order"
        return f"{format_table(rows, header, digits=3)}\n\ntruncation: by {yardstick}"


def compare(
    problem: Problem, other: Problem | None, own_matrices: bool, model: Model
) -> Comparison:
    """Evaluate the residuals both ways, and once more for the truncation error.

    The yardstick is what the matrices of the next order change, |r_p - r_(p+1)|, on the very same
    model; assembled for the purpose. On periodic nodes it is taken away from the seams, which lie
    anywhere: a model that is not periodic jumps there, and matrices of every order see it. Given
    matrices have no next order, and their order is not known: they are asked to be as good as
    RBF-FD of order 2 on these nodes.

    Parameters
    ----------
    problem : Problem
    other : Problem or None
        The yardstick: the same by matrices of another order. None where the nodes carry none.
    own_matrices : bool
        Whether the problem has somebody's own.
    model : callable
    """
    # At the very same points, so the same tensors: what is known of these is known there.
    automatic = AutomaticProblem(problem.posed)
    ours, exact = (_residuals(p, model) for p in (problem, automatic))
    terms = sizes_of_terms(automatic, model)
    truncation = None
    if other is not None:
        base = exact if own_matrices else ours
        truncation = {name: r - base[name] for name, r in _residuals(other, model).items()}
        if problem.nodes.cell.periodic:
            truncation = {
                name: _away_from_seams(problem, name, r) for name, r in truncation.items()
            }
    weights = balanced_weights(problem.posed, problem.scales, "balanced")
    parts = []
    sums = [r.name for r in problem.posed.spatial if r.weights is not None]
    yardsticks: dict[str, float] = {}
    for name, r in ours.items():
        # Equations of different units have no common norm but in natural ones.
        size = _natural(terms[name], weights.get(name))
        difference = r - exact[name]
        error = None
        if truncation is not None:
            error = _ratio(_natural(truncation[name], weights.get(name)), size)
            yardsticks[name] = error
            if name in sums:  # in a sum of errors most may cancel by chance
                error = max(yardsticks.values())
        parts.append(
            ResidualComparison(
                name,
                rms=_rms(r),
                automatic=_rms(exact[name]),
                largest=float(difference.abs().max()),
                relative=_ratio(_natural(difference, weights.get(name)), size),
                truncation=error,
                round_off=1e5 * torch.finfo(r.dtype).eps,
                by_equation=_by_equation(
                    difference, None if truncation is None else truncation[name], terms[name]
                ),
            )
        )
    return Comparison(tuple(parts), own_matrices)


def _by_equation(
    difference: Tensor, truncation: Tensor | None, terms: Tensor
) -> tuple[tuple[float, float | None], ...]:
    """Difference and truncation of each equation (n, equations), relative to its own terms."""
    if difference.dim() < 2 or difference.shape[1] < 2:
        return ()

    def columns(r: Tensor) -> list[float]:
        norms = zip(r.norm(dim=0), terms.norm(dim=0), strict=True)
        return [_ratio(norm, size) for norm, size in norms]

    others = [None] * difference.shape[1] if truncation is None else columns(truncation)
    return tuple(zip(columns(difference), others, strict=True))


def _residuals(problem: Problem, model: Model) -> dict[str, Tensor]:
    with torch.no_grad():
        return {name: r.detach() for name, r in problem.residuals(model).items()}


def _away_from_seams(problem: Problem, name: str, r: Tensor) -> Tensor:
    """Set a residual (n,) or (n, equations) to zero beside the seams, and scale the rest up for it.

    Where that leaves nothing it stays as it is.
    """
    nodes = problem.nodes
    region = next(region for region in problem.posed.everywhere if region.name == name)
    x, h = nodes.collocation[region.rows], nodes.local_spacing[region.rows]
    away = np.ones(len(x), dtype=np.bool_)
    for axis in nodes.cell.axes:
        low, period = nodes.cell.lower[axis], nodes.cell.periods[axis]
        from_seam = np.minimum(x[:, axis] - low, low + period - x[:, axis])
        away &= from_seam > BESIDE[nodes.dimension] * h
    if not away.any():
        return r
    times = len(r) // len(x)
    kept = torch.from_numpy(np.repeat(away, times)).to(r.device)
    scaled = r * (len(away) / away.sum()) ** 0.5
    return torch.where(kept if r.dim() == 1 else kept[:, None], scaled, torch.zeros_like(r))


def _natural(r: Tensor, weights: tuple[float, ...] | None) -> Tensor:
    """l2 norm, with every equation in its own size."""
    if r.dim() == 2 and weights is not None:
        r = r.double() * torch.tensor(weights, dtype=torch.float64, device=r.device).sqrt()
    norm: Tensor = torch.linalg.vector_norm(r)
    return norm


def _rms(r: Tensor) -> float:
    return float(r.square().mean().sqrt())


def _ratio(difference: Tensor, size: Tensor) -> float:
    return float(difference / size) if difference else 0.0
