"""A layer at the outflow: -e u'' + u' = 1, u = 0 at both ends; on a line, and across a square.

u = x - (exp((x - 1) / e) - exp(-1 / e)) / (1 - exp(-1 / e)); Morton, Numerical Solution of
Convection-Diffusion Problems (1996), section 1. Resolved: the spacing is below e.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

import dtpinn
from dtpinn import Dirichlet, Neumann
from dtpinn.geometry import Interval, Rectangle
from tests.answers.known.question import Array, Question


class Advection(dtpinn.PDE):
    """-e Laplacian u + du/dx = 1."""

    def __init__(self, diffusion: float, on: Mapping[str, dtpinn.pde.BoundaryCondition]) -> None:
        super().__init__()
        self.diffusion, self.on = diffusion, dict(on)

    def residual(self, u: Tensor, D: dtpinn.pde.Derivatives, x: Tensor) -> Tensor:
        """Linear, with a first derivative."""
        return D.partial(u, 0) - self.diffusion * D.laplacian(u) - 1

    def conditions(self) -> Mapping[str, dtpinn.pde.BoundaryCondition]:
        """One on each part."""
        return self.on


def answer(x: Array, diffusion: float) -> Array:
    """u at points (n, d)."""
    s = x[:, 0]
    layer = np.exp((s - 1) / diffusion) - np.exp(-1 / diffusion)
    return s - layer / (1 - np.exp(-1 / diffusion))


LINE = Question(
    domain=Interval(0, 1),
    equation=lambda: Advection(0.05, {"left": Dirichlet(), "right": Dirichlet()}),
    answer=lambda x: answer(x, 0.05),
    spacings=(0.04, 0.028, 0.02),
    within=0.0005,
)

SQUARE = Question(
    domain=Rectangle((0, 0), (1, 1)),
    equation=lambda: Advection(
        0.1,
        dict.fromkeys(("left", "right"), Dirichlet()) | dict.fromkeys(("top", "bottom"), Neumann()),
    ),
    answer=lambda x: answer(x, 0.1),
    spacings=(0.08, 0.055, 0.04),
    within=0.0003,
)
