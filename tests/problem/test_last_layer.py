"""The exact Jacobian in the last layer's weights, and equations that it solves in a step."""

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.pde.solutions import sine_cosine, sine_cosine_sine
from dtpinn.problem.fresh import between
from tests.marks import mostly_full

WALLS = {"*": dtpinn.Dirichlet(lambda x, n: x, field=("u", "v"))}
EQUATIONS = {
    "nonlinear": (dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp), None),
    "heat": (dtpinn.Heat.from_solution(sine_cosine_sine), [0.0, 0.5, 1.0]),
    "stokes": (dtpinn.Stokes(1.0, WALLS, lambda x: x), None),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_it_is_what_backward_differentiation_makes_of_the_residuals(name, disk):
    pde, times = EQUATIONS[name]
    data, constraints = [], []
    if times is None:
        points = torch.rand(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        data = [dtpinn.Data(0.5 * points, torch.zeros(5), field=0)]
        constraints = [dtpinn.Mean(0.0, field=pde.field_count - 1)]
    problem = dtpinn.discretize(
        pde, disk(0.2), order=3, times=times, data=data, constraints=constraints
    )
    model = dtpinn.MLP(2 if times is None else 3, width=5, depth=2, fields=pde.field_count, seed=0)
    dtpinn.training.normalise(model, problem)
    system = problem.corrected_least_squares(model)
    weights, A = system.last_layer()
    r = system.residual()
    assert [w.shape for w in weights] == [p.shape for p in model.layers[-1].parameters()]
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):  # the residuals may bend, so both ways and a small step
        v = torch.randn(A.shape[1], generator=generator, dtype=torch.float64)
        slopes = []
        for step in (1e-4, -1e-4):
            with torch.no_grad():
                parts = torch.split(step * v, [w.numel() for w in weights])
                for w, part in zip(weights, parts, strict=True):
                    w += part.view_as(w)
                slopes.append((system.residual() - r) / step)
                for w, part in zip(weights, parts, strict=True):
                    w -= part.view_as(w)
        assert (A @ v - sum(slopes) / 2).norm() < 1e-6 * (A @ v).norm()


def harmonic(x):
    return torch.exp(2 * x[:, 0]) * torch.sin(2 * x[:, 1])


SOLVED = {
    "harmonic": (
        dtpinn.geometry.Rectangle((0, 0), (1, 1)), 0.05, harmonic,
        dtpinn.Poisson(0.0, dtpinn.Dirichlet(lambda x, n: harmonic(x))), 1e-7,
    ),
    "bratu": (
        dtpinn.geometry.Interval(0.0, 1.0), 0.03, None,
        dtpinn.Poisson(0.0, dtpinn.Dirichlet(0.0), reaction=lambda u: -torch.exp(u)), 1e-9,
    ),
}  # fmt: skip
# Of u'' + exp(u) = 0, u(0) = u(1) = 0: u = -2 log(cosh((x - 1/2) t / 2) / cosh(t / 4)), where
# t = sqrt(2) cosh(t / 4), the smaller root.
ROOT = 1.5171645990507545


def bratu(x):
    s = x[:, 0] - 0.5
    return -2 * torch.log(torch.cosh(s * ROOT / 2) / torch.cosh(torch.tensor(ROOT / 4).double()))


@pytest.mark.parametrize("name", mostly_full(SOLVED, {"bratu", "harmonic"}.__contains__))
def test_wide_networks_solve_equations_as_they_were_drawn(name):
    """Against closed forms, between the nodes, all seeds."""
    domain, spacing, exact, pde, tolerance = SOLVED[name]
    nodes = dtpinn.place_nodes(domain, spacing)
    problem = dtpinn.discretize(pde, nodes)
    points = torch.from_numpy(between(nodes))
    for seed in range(3):
        model = dtpinn.MLP(nodes.dimension, width=200, depth=1, seed=seed)
        result = dtpinn.fit(model, problem, 15, optimizer="last-layer")
        assert result.relative_error(exact or bratu, points) < tolerance
        assert result.epochs < 15  # it saw that there is nothing left


def test_what_it_cannot_do_is_told(disk):
    class Plate(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.biharmonic(u) - 1.0

        def boundary(self, u, D, x, n):
            return torch.stack([u, D.normal(u)], dim=1)

    problem = dtpinn.discretize(Plate(), disk(0.15))
    with pytest.raises(ValueError, match=r"carried forward.*gauss-newton"):
        dtpinn.fit(dtpinn.MLP(2, seed=0), problem, 1, optimizer="last-layer")

    class Bent(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 1).double()

        def forward(self, x):
            return torch.tanh(self.inner(x))[:, 0]

    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), disk(0.2))
    with pytest.raises(ValueError, match="Bent is not linear in its last layer"):
        dtpinn.fit(Bent(), problem, 1, optimizer="last-layer")
