"""Equations that between them use every word of a residual; no one of them is in the library."""

from __future__ import annotations

import torch
from torch import nn

import dtpinn


class ReactionInTime(dtpinn.PDE):
    """u_t = div(grad u) + u^2 du/dx - (u^3)_xx + ..., with a time derivative on the boundary."""

    def residual(self, u, D, x, t):
        cubic = D.partial(lambda u, x, t: u**3 * (1 + x[:, 0] * t), 0, 0)
        return D.time(u) - D.laplacian(u) + u**2 * D.partial(u, 0) - 0.1 * cubic

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + u + 0.2 * D.time(u) + D.time(lambda u, x, t: t * u**2) - x[:, 1] * t

    def initial(self, u, D, x):
        return u - x[:, 0]


class SecondInTime(dtpinn.PDE):
    """Two fields with second rates, of themselves and of functions, on the boundary as well.

    At the start with everything that D has there: a rate, and derivatives in space.
    """

    fields = 2

    def residual(self, u, D, x, t):
        both = D.time(lambda u, x, t: u * u.flip(1) * (1 + t[:, None] ** 2) + x[:, :1] * u, 2)
        steepening = D.time(u) * D.time(u, 2).flip(1)
        return D.time(u, 2) + both - 0.3 * D.laplacian(u) + u * steepening

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + u + 0.2 * D.time(u) + 0.1 * D.time(u, 2)

    def initial(self, u, D, x):
        moved = D.partial(lambda u, x, t: (1 + t[:, None]) * u**2, 1)
        velocity = D.time(u) + 0.5 * D.partial(u, 0) - D.time(lambda u, x, t: t[:, None] * u)
        return torch.cat([u - x, velocity + 0.1 * moved + u.flip(1) * D.laplacian(u)], dim=1)


class Elasticity(dtpinn.PDE):
    """Two displacements coupled through mixed derivatives, with an unknown stiffness."""

    fields = 2

    def __init__(self):
        super().__init__()
        self.stiffness = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def residual(self, u, D, x):
        divergence_x = D.partial(u, 0, 0)[:, 0] + D.partial(u, 0, 1)[:, 1]
        divergence_y = D.partial(u, 0, 1)[:, 0] + D.partial(u, 1, 1)[:, 1]
        mixed = torch.stack([divergence_x, divergence_y], dim=1)
        square = D.laplacian(lambda u, x: u * u.flip(1) * x[:, :1])
        return D.laplacian(u) + self.stiffness * mixed + 0.1 * square - D.divergence(u)[:, None]

    def boundary(self, u, D, x, n):
        traction = torch.einsum("nfd,nd->nf", D.gradient(u), n)
        return traction + D.normal(u) + u


class TwoParts(dtpinn.PDE):
    """Different conditions on the named parts of the boundary."""

    def residual(self, u, D, x):
        return D.laplacian(u) - u

    def left(self, u, D, x, n):
        return u - x[:, 1]

    def right(self, u, D, x, n):
        return D.normal(u) + 2 * u

    def conditions(self):
        return {"left": self.left, "right": self.right}
