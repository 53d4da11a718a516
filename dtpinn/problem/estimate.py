"""How wrong a model is, when the solution is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dtpinn.problem.problem import Model

if TYPE_CHECKING:
    from dtpinn.problem.discrete import DiscreteProblem


@dataclass(frozen=True)
class Estimate:
    """Two distances, relative in l2 on X, that together bound how wrong a model is.

    Attributes
    ----------
    distance : float
        |model - u_p| / |u_p|: what training has left, u_p being the discrete solution of order p.
    discretisation : float
        |u_p - u_(p+1)| / |u_(p+1)|: what the nodes and the order have left, an estimate of the
        error of u_p itself. No training on this problem gets reliably below it.

    Notes
    -----
    By the triangle inequality the error of the model is about `total` at most.
    """

    distance: float
    discretisation: float

    @property
    def total(self) -> float:
        """Sum of the two."""
        return self.distance + self.discretisation

    def __str__(self) -> str:
        return (
            f"relative l2 error about {self.total:.1e}: {self.distance:.1e} from the discrete "
            f"solution, {self.discretisation:.1e} of the discretisation"
        )


def estimate(problem: DiscreteProblem, model: Model) -> Estimate:
    """Compare a model with the discrete solutions of order p and p + 1."""
    solution = problem.solve()
    finer = problem.with_order(problem.order + 1).solve()
    with torch.no_grad():
        count = problem.nodes.count
        u = problem.evaluate(model, problem.extended_points[:count]).to(solution.dtype)
    return Estimate(_relative(u, solution), _relative(solution, finer))


def _relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm() / b.norm())
