"""One residual, two kinds of derivative: RBF-FD and autograd agree to the truncation error.

Random networks stand in for the unknown. Agreement is asked of every residual and of the gradient
in every parameter, and it has to improve with h at the order of the discretisation: a wrong term
would leave an error that does not.
"""

from __future__ import annotations

import math

import pytest
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from tests.problem.equations import Elasticity, ReactionInTime, SecondInTime, TwoParts
from tests.problem.parity import both, network

TIMES = torch.linspace(0.0, 0.6, 4)


def cases():
    poisson = dtpinn.Poisson.from_solution(sine_cosine, alpha=1.0, beta=2.0, reaction=torch.exp)
    return {
        "nonlinear Poisson": (poisson, 2, None),
        "space-time": (ReactionInTime(), 3, TIMES),
        "second in time": (SecondInTime(), 3, TIMES),
        "two fields": (Elasticity(), 2, None),
    }


@pytest.mark.parametrize("name", cases())
def test_both_backends_agree_to_the_truncation_error(name, disk):
    pde, inputs, times = cases()[name]
    model = network(inputs, pde.fields)
    order = 4
    coarse = both(pde, disk(0.1), times, order, model)
    fine = both(pde, disk(0.06), times, order, model)
    for part, difference in fine.items():
        if difference < 1e-14:
            assert part == "initial"  # no derivative in space in it
            continue
        assert difference < 2e-4, part
        # At least order - 1 on clouds that are not similar: 8 of the expected 16.
        assert difference < coarse[part] / (0.1 / 0.06) ** (order - 1), part


def test_conditions_on_parts_of_the_boundary_agree_row_by_row(two_parts):
    model = network(2, 1)
    pde = TwoParts()
    discrete = dtpinn.discretize(pde, two_parts, order=5).residuals(model)
    automatic = dtpinn.vanilla(pde, two_parts, collocation="all").residuals(model)
    assert list(discrete) == ["pde", "boundary.left", "boundary.right"]
    for name, residual in discrete.items():
        assert torch.allclose(residual, automatic[name], atol=1e-5), name
    sizes = [len(discrete[f"boundary.{part}"]) for part in ("left", "right")]
    assert sum(sizes) == len(two_parts.boundary)
    assert min(sizes) > 0


def test_every_slice_of_a_space_time_problem_is_the_steady_one(disk):
    """Node-major order: at each time the residual is what one slice alone would give."""

    class Slice(dtpinn.PDE):
        def residual(self, u, D, x, *t):
            return D.laplacian(u) - D.partial(lambda u, *xt: u**2, 1)

        def boundary(self, u, D, x, n, *t):
            return D.normal(u) + u

        def initial(self, u, D, x):
            return u

    model = network(3, 1)
    nodes = disk(0.1)
    together = dtpinn.discretize(Slice(), nodes, times=TIMES).residuals(model)
    for k, time in enumerate(TIMES):
        frozen = lambda x, t=time: model(torch.cat([x, t.expand(len(x), 1)], dim=1))  # noqa: E731
        alone = dtpinn.discretize(Slice(), nodes).residuals(frozen)
        for name, residual in alone.items():
            rows = together[name].reshape(-1, len(TIMES))[:, k]
            assert torch.allclose(rows, residual, atol=1e-10)
    automatic = dtpinn.vanilla(Slice(), nodes, times=TIMES).residuals(model)
    assert torch.allclose(together["initial"], automatic["initial"], atol=1e-14)


def test_a_known_coefficient_is_differentiated_with_the_unknown(disk):
    class Conduction(dtpinn.PDE):
        def __init__(self):
            super().__init__()
            self.k = dtpinn.Known(lambda x: 2 + torch.sin(3 * x[:, 0]))

        def residual(self, u, D, x):
            return D.partial(lambda u, x: self.k(x) * u, 0) - self.k(x)

        def boundary(self, u, D, x, n):
            return D.normal(lambda u, x: self.k(x) * u)

    difference = both(Conduction(), disk(0.05), None, 4, network(2, 1))
    assert max(difference.values()) < 1e-4


def test_single_precision_is_a_choice(disk):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    model = network(2, 1)
    double = dtpinn.discretize(pde, disk(0.1)).residuals(model)
    problem = dtpinn.discretize(pde, disk(0.1), dtype=torch.float32)
    single = problem.residuals(dtpinn.MLP(2, width=20, depth=2, seed=3, dtype=torch.float32))
    assert single["pde"].dtype == torch.float32
    # eps32 |L| |u| is 7e-5..3e-4 of the Laplacian here: the floor of fp32 weights.
    scale = double["pde"].abs().max()
    assert (single["pde"] - double["pde"]).abs().max() < 2e-3 * scale
    with pytest.raises(TypeError, match="float32"):
        problem.loss(model)


def test_the_loss_is_equation_12(disk):
    """1/(Ni+Nb) |pde|^2 + 1/Nb |boundary|^2, and for vanilla 1/Ni |pde|^2, equation (4)."""
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    nodes, model = disk(0.1), network(2, 1)
    for problem, count in (
        (dtpinn.discretize(pde, nodes, weights="equal"), nodes.count),
        (dtpinn.vanilla(pde, nodes, weights="equal"), nodes.interior_count),
    ):
        r = problem.residuals(model)
        assert len(r["pde"]) == count
        boundary = r["boundary"].square().sum() / len(nodes.boundary)
        wanted = r["pde"].square().sum() / count + boundary
        assert math.isclose(problem.loss(model).item(), wanted.item(), rel_tol=1e-14)


def test_the_loss_in_space_time_is_equation_16(disk):
    """Means over all points and slices, the initial condition over X alone."""
    nodes, model = disk(0.1), network(3, 1)
    problem = dtpinn.discretize(ReactionInTime(), nodes, times=TIMES, weights="equal")
    r = problem.residuals(model)
    counts = {
        "pde": nodes.count * len(TIMES),
        "boundary": len(nodes.boundary) * len(TIMES),
        "initial": nodes.count,
    }
    assert {name: len(residual) for name, residual in r.items()} == counts
    wanted = sum(r[name].square().sum() / count for name, count in counts.items())
    assert math.isclose(problem.loss(model).item(), wanted.item(), rel_tol=1e-14)


def test_parts_of_the_boundary_share_one_mean(two_parts):
    """A boundary point weighs the same, whatever its part."""
    problem = dtpinn.discretize(TwoParts(), two_parts, weights="equal")
    model = network(2, 1)
    r = problem.residuals(model)
    boundary = torch.cat([r["boundary.left"], r["boundary.right"]])
    wanted = r["pde"].square().mean() + boundary.square().mean()
    assert math.isclose(problem.loss(model).item(), wanted.item(), rel_tol=1e-13)


def test_the_equation_is_run_once_per_evaluation_and_data_once_per_point_set(disk):
    calls = {"u": 0, "f": 0}

    def f(x):
        calls["f"] += 1
        return torch.ones(len(x))

    class Counting(torch.nn.Module):
        def forward(self, x):
            calls["u"] += 1
            return x[:, 0] ** 2

    pde = dtpinn.Poisson(f, boundary=dtpinn.Dirichlet(lambda x, n: 0 * x[:, 0]))
    problem = dtpinn.discretize(pde, disk(0.1))
    calls["f"] = 0
    for _ in range(3):
        problem.loss(Counting())
    assert calls == {"u": 3, "f": 1}
    baseline = dtpinn.vanilla(pde, disk(0.1))
    calls["f"] = 0
    for _ in range(3):
        baseline.loss(Counting())
    assert calls["f"] == 1
