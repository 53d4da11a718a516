"""Equations in time with known solutions, linear and not, one field and two."""

from __future__ import annotations

import torch

import dtpinn


def wave(x, t):
    """A smooth function that moves and decays."""
    return torch.exp(-t) * torch.sin(2 * x[:, 0] + t) * torch.cos(x[:, 1]) + x[:, 0] * t


def _derivatives(x, t):
    """du/dt, the gradient and the Laplacian of `wave`."""
    decay, phase = torch.exp(-t), 2 * x[:, 0] + t
    s, c = decay * torch.sin(phase), decay * torch.cos(phase)
    gradient = torch.stack([2 * c * torch.cos(x[:, 1]) + t, -s * torch.sin(x[:, 1])], dim=1)
    return (c - s) * torch.cos(x[:, 1]) + x[:, 0], gradient, -5 * s * torch.cos(x[:, 1])


class Diffusion(dtpinn.PDE):
    """u_t = Laplacian u + reaction(u) + f, solved by `wave`; alpha du/dn + u = g."""

    def __init__(self, alpha=0.0, reaction=None):
        super().__init__()
        self.alpha = alpha
        self.reaction = reaction or torch.zeros_like

    def residual(self, u, D, x, t):
        rate, _, laplacian = _derivatives(x, t)
        f = rate - laplacian - self.reaction(wave(x, t))
        return D.time(u) - D.laplacian(u) - self.reaction(u) - f

    def boundary(self, u, D, x, n, t):
        r = u - wave(x, t)
        if self.alpha:
            r = r + self.alpha * (D.normal(u) - (_derivatives(x, t)[1] * n).sum(1))
        return r

    def initial(self, u, D, x):
        return u - wave(x, torch.zeros_like(x[:, 0]))


class SplitHeat(dtpinn.PDE):
    """u_t = Laplacian u as two fields, the second v = Laplacian u without a rate of its own."""

    fields = 2

    def residual(self, u, D, x, t):
        L = D.laplacian(u)
        return torch.stack([D.time(u)[:, 0] - u[:, 1], u[:, 1] - L[:, 0]], dim=1)

    def boundary(self, u, D, x, n, t):
        return (u - self.exact(x, t))[:, 0]

    def initial(self, u, D, x):
        return u[:, 0] - self.exact(x, torch.zeros_like(x[:, 0]))[:, 0]

    def exact(self, x, t):
        u = torch.exp(-2 * t) * torch.sin(x[:, 0]) * torch.cos(x[:, 1])
        return torch.stack([u, -2 * u], dim=1)


class Coupled(dtpinn.PDE):
    """Two fields, with everything that a rate can stand in: products, functions, the boundary."""

    fields = 2

    def residual(self, u, D, x, t):
        energy = D.time(lambda u, x, t: u.square().sum(1) * t + x[:, 0] * u[:, 0])
        both = D.time(lambda u, x, t: torch.sin(u) * u.flip(1) + t[:, None] ** 2 * u)
        flux = D.laplacian(lambda u, x, t: u * u.flip(1) * t[:, None])
        return both * u - D.laplacian(u) - flux + energy[:, None] * D.partial(u, 0)

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + u * D.time(u).flip(1)

    def initial(self, u, D, x):
        return u**3 - x
