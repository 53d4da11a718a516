"""Eleven unlike problems for the balance of a loss: what they are, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

import dtpinn
from dtpinn.geometry import Annulus, Disk, Polygon, Rectangle
from dtpinn.pde import Young
from dtpinn.pde.solutions import sine_cosine


@dataclass(frozen=True)
class Unlike:
    """A problem, and the training that it is given.

    Attributes
    ----------
    make : callable
        weights -> DiscreteProblem.
    optimizer : str
    epochs : int
    width, depth : int
    """

    make: Callable[..., dtpinn.problem.DiscreteProblem]
    optimizer: str
    epochs: int
    width: int
    depth: int

    def error(self, weights, seed: int = 0) -> tuple[float, float]:
        """Relative l2 distance to `solve()` after training, and the seconds that it took."""
        problem = self.make(weights)
        wanted = problem.solve()
        model = dtpinn.MLP(
            problem.points.shape[1], width=self.width, depth=self.depth, fields=problem.pde.fields,
            seed=seed,
        )  # fmt: skip
        result = dtpinn.fit(
            model, problem, self.epochs, optimizer=self.optimizer, every=10**6, progress=False
        )
        with torch.no_grad():
            difference = (model(problem.points) - wanted).reshape(len(wanted), -1)
        # Fields of other units: each relative to its own size.
        sizes = wanted.reshape(len(wanted), -1).norm(dim=0)
        return float((difference.norm(dim=0) / sizes).square().mean().sqrt()), result.seconds


def _one(x, n):
    return torch.ones(len(x), dtype=x.dtype)


def holes(weights, h=0.025):
    """PINNacle's Poisson2d-C: 0 on four circles, 1 on the square around them."""
    domain = Rectangle((-0.5, -0.5), (0.5, 0.5))
    for x in (-0.3, 0.3):
        for y in (-0.3, 0.3):
            domain = domain - Disk(0.1, (x, y))
    inside = lambda x: (abs(x) < 0.4999).all(axis=1)  # noqa: E731
    nodes = dtpinn.place_nodes(domain.with_parts({"holes": inside}), h, seed=0)
    on = {part: dtpinn.Dirichlet(None if part == "holes" else _one) for part in nodes.parts}
    return dtpinn.discretize(dtpinn.Poisson(None, on), nodes, 4, weights=weights)


def particle(weights):
    """A particle of 10 micrometres, conditions of three kinds, in SI units."""
    L = 1e-5
    nodes = dtpinn.place_nodes(Rectangle((0, 0), (L, L)), spacing=L / 20, seed=0)
    on = {
        "left": dtpinn.Dirichlet(lambda x, n: 300.0 + torch.sin(3.0 * x[:, 1] / L)),
        "right": dtpinn.Robin(1.0, 2.0 / L, lambda x, n: 2.0 / L * 300.0 * _one(x, n)),
        "top": dtpinn.Neumann(),
        "bottom": dtpinn.Neumann(lambda x, n: torch.cos(x[:, 0] / L) / L),
    }
    pde = dtpinn.Poisson(lambda x: 5.0 / L**2 * torch.sin(4.0 * x[:, 0] / L), on)
    return dtpinn.discretize(pde, nodes, 3, weights=weights)


def disk(weights):
    """The paper's Poisson problem: smooth, Robin."""
    nodes = dtpinn.place_nodes(Disk(), count=800, seed=0)
    return dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, 4, weights=weights)


def bent(weights):
    """Torsion of an L: a load, and a corner that looks inwards."""
    corners = [[0, 0], [1, 0], [1, -1], [-1, -1], [-1, 1], [0, 1]]
    nodes = dtpinn.place_nodes(Polygon(corners), spacing=0.08, seed=0)
    pde = dtpinn.Poisson(lambda x: -_one(x, x), dtpinn.Dirichlet())
    return dtpinn.discretize(pde, nodes, 3, weights=weights)


def waves(weights):
    """Helmholtz in a ring of a kilometre, Dirichlet inside and Robin outside."""
    L = 1e3
    nodes = dtpinn.place_nodes(Annulus(0.4 * L, L), spacing=0.08 * L, seed=0)
    on = {"inner": dtpinn.Dirichlet(), "outer": dtpinn.Robin(L, 2.0)}
    pde = dtpinn.Helmholtz.from_solution(
        lambda x: torch.sin(3 * x[:, 0] / L) * torch.exp(x[:, 1] / L),
        wavenumber=2.0 / L,
        boundary=on,
    )
    return dtpinn.discretize(pde, nodes, 5, weights=weights)


def scales(weights):
    """Many scales: waves of 2, 4 and 8 half periods in a square."""

    def u(x):
        parts = [torch.sin(w * torch.pi * x).prod(dim=1) for w in (2.0, 4.0, 8.0)]
        return torch.stack(parts).mean(dim=0)

    nodes = dtpinn.place_nodes(Rectangle((0, 0), (1, 1)), spacing=0.03, seed=0)
    pde = dtpinn.Poisson.from_solution(u, boundary=dtpinn.Dirichlet())
    return dtpinn.discretize(pde, nodes, 5, weights=weights)


class Layer(dtpinn.PDE):
    """``-0.03 Lap u + u_x = 1``, u = 0 around: a layer on the right, and one on either side."""

    def residual(self, u, D, x):  # noqa: D102
        return D.partial(u, 0) - 0.03 * D.laplacian(u) - 1.0

    def boundary(self, u, D, x, n):  # noqa: D102
        return u


def layer(weights):
    """Wind from the left."""
    nodes = dtpinn.place_nodes(Rectangle((0, 0), (1, 0.6)), spacing=0.025, seed=0)
    return dtpinn.discretize(Layer(), nodes, 3, weights=weights)


def beam(weights):
    """A steel cantilever of a metre, pulled down at its end with a megapascal."""
    steel = Young(210e9, 0.3, plane="stress")
    pull = lambda x, n: -1e6 * torch.stack([0 * n[:, 0], n[:, 0]], dim=1)  # noqa: E731
    free = dtpinn.Traction(steel)
    on = {"left": dtpinn.Dirichlet(), "right": dtpinn.Traction(steel, pull)}
    pde = dtpinn.LinearElasticity(None, {**on, "top": free, "bottom": free}, material=steel)
    nodes = dtpinn.place_nodes(Rectangle((0, 0), (1, 0.3)), spacing=0.04, seed=0)
    return dtpinn.discretize(pde, nodes, 4, weights=weights)


class Plate(dtpinn.PDE):
    """A clamped plate as two equations: ``Lap w = m``, ``D Lap m = load``, w = w_n = 0."""

    fields = 2
    stiffness = 2e4

    def residual(self, u, D, x):  # noqa: D102
        second = D.laplacian(u)
        load = 5e3 * (1.0 + x[:, 0] / 5.0)
        return torch.stack([second[:, 0] - u[:, 1], self.stiffness * second[:, 1] - load], dim=1)

    def boundary(self, u, D, x, n):  # noqa: D102
        return torch.stack([u[:, 0], D.normal(u)[:, 0]], dim=1)


def plate(weights):
    """A deflection and a curvature on a disk of ten metres."""
    nodes = dtpinn.place_nodes(Disk(5.0), spacing=0.6, seed=0)
    return dtpinn.discretize(Plate(), nodes, 4, weights=weights)


def cooling(weights):
    """Heat in space-time: a millimetre of glass, seconds, kelvins."""
    L, diffusivity = 1e-3, 3e-7
    nodes = dtpinn.place_nodes(Disk(L), spacing=0.15 * L, seed=0)
    pde = dtpinn.Heat(
        None, dtpinn.Robin(L, 2.0, lambda x, n, t: 600.0 + 0.0 * t), diffusivity=diffusivity,
        initial=lambda x: 300.0 + 50.0 * torch.cos(2.0 * x[:, 0] / L),
    )  # fmt: skip
    times = torch.linspace(0.0, 0.3 * L**2 / diffusivity, 9, dtype=torch.float64)
    return dtpinn.discretize(pde, nodes, 3, times=times, weights=weights)


class Combustion(dtpinn.PDE):
    """``Lap u + 3 exp(u) / 2 = 0``, u = 0 around: Bratu's problem, its lower solution."""

    def residual(self, u, D, x):  # noqa: D102
        return D.laplacian(u) + 1.5 * torch.exp(u)

    def boundary(self, u, D, x, n):  # noqa: D102
        return u


def combustion(weights):
    """A nonlinear equation."""
    nodes = dtpinn.place_nodes(Disk(), spacing=0.08, seed=0)
    return dtpinn.discretize(Combustion(), nodes, 4, weights=weights)


UNLIKE = {
    "holes": Unlike(holes, "gauss-newton", 80, 32, 2),
    "particle": Unlike(particle, "lbfgs", 60, 30, 2),
    "disk": Unlike(disk, "gauss-newton", 60, 64, 1),
    "bent": Unlike(bent, "gauss-newton", 60, 24, 2),
    "waves": Unlike(waves, "lbfgs", 60, 30, 2),
    "scales": Unlike(scales, "gauss-newton", 60, 128, 1),
    "layer": Unlike(layer, "gauss-newton", 60, 24, 2),
    "beam": Unlike(beam, "gauss-newton", 300, 20, 2),
    "plate": Unlike(plate, "gauss-newton", 60, 20, 2),
    "cooling": Unlike(cooling, "lbfgs", 60, 20, 2),
    "combustion": Unlike(combustion, "lbfgs", 60, 20, 2),
}
