"""Gauss-Newton through `fit`: down to the floor, for every kind of problem."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.optim import GaussNewton
from dtpinn.pde.solutions import sine_cosine, sine_cosine_sine
from tests.marks import mostly_full


def twins(x):
    return torch.stack([sine_cosine(x), torch.exp(x[:, 0] * x[:, 1])], dim=1)


class Pair(dtpinn.PDE):
    fields = 2

    def residual(self, u, D, x):
        return D.laplacian(u) - u * u.flip(1)

    def boundary(self, u, D, x, n):
        return D.normal(u) + 2 * u


def in_time(points):
    return sine_cosine_sine(points[:, :2], points[:, 2])


def poisson(**options):
    return dtpinn.Poisson.from_solution(sine_cosine, **options)


CASES = {
    "linear": (poisson, sine_cosine, None, 100),
    "nonlinear": (lambda: poisson(reaction=torch.exp), sine_cosine, None, 100),
    "two fields": (lambda: dtpinn.Manufactured(Pair(), twins), twins, None, 100),
    "heat": (lambda: dtpinn.Heat.from_solution(sine_cosine_sine), in_time, 7, 100),
}  # fmt: skip


@pytest.mark.parametrize("case", mostly_full(CASES, lambda case: case == "two fields"))
def test_it_comes_down_to_the_floor(case, nodes):
    make, exact, times, epochs = CASES[case]
    times = None if times is None else torch.linspace(0.0, 1.0, times)
    pde = make()
    problem = dtpinn.discretize(pde, nodes, order=3, times=times)
    wanted = exact(problem.points)
    floor = float((problem.solve() - wanted).norm() / wanted.norm())
    inputs = 2 if times is None else 3
    model = dtpinn.MLP(inputs, width=40, depth=1, fields=pde.fields, seed=0)
    result = dtpinn.fit(model, problem, epochs, optimizer="gauss-newton")
    assert result.relative_error(exact) < 1.5 * floor
    assert result.stages[0].iterations == epochs
    assert result.evaluations > 2 * epochs  # a Jacobian and residuals in each


def test_unknown_coefficients_are_found(nodes):
    """From the solution at the nodes of one half, to the error of the discretisation."""

    class Inverse(dtpinn.PDE):
        def __init__(self):
            super().__init__()
            self.rate = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

        def residual(self, u, D, x):
            equation = D.laplacian(u) + self.rate * u
            return torch.stack([equation, (u - exact(x)) * (x[:, 0] > 0)], dim=1)

        def boundary(self, u, D, x, n):
            return u - exact(x)

    def exact(x):
        return torch.sin(2 * x[:, 0]) * torch.cos(x[:, 1])

    problem = dtpinn.discretize(Inverse(), nodes, order=4)
    model = dtpinn.MLP(2, width=20, depth=1, seed=0)
    result = dtpinn.fit(model, problem, 60, optimizer="gauss-newton")
    assert abs(result.coefficients["rate"] - 5.0) < 2e-3


def test_a_polish_goes_on_from_where_the_first_stage_ended(nodes):
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, order=3)
    model = dtpinn.MLP(2, width=20, depth=2, seed=0)
    result = dtpinn.fit(model, problem, [3, 25], optimizer=["lbfgs", "gauss-newton"])
    first, second = result.stages
    assert (first.optimizer, second.optimizer) == ("LBFGS", "GaussNewton")
    losses = {r.epoch: r.loss for r in result.history}
    assert losses[28] < 0.05 * losses[3] < losses[0]
    assert result.evaluations == first.evaluations + second.evaluations


def test_a_resumed_run_is_the_run_bit_for_bit(nodes, tmp_path):
    def train(epochs, **options):
        pde = dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp)
        problem = dtpinn.discretize(pde, nodes, order=3)
        model = dtpinn.MLP(2, width=8, depth=1, seed=2)
        sampling = functools.partial(GaussNewton, rows=30)
        return dtpinn.fit(model, problem, epochs, optimizer=sampling, **options)

    whole = train(12)
    train(5, checkpoint=tmp_path / "half.pt")
    resumed = train(12, resume=tmp_path / "half.pt")
    for a, b in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert (whole.loss, whole.evaluations) == (resumed.loss, resumed.evaluations)


def test_it_stops_where_rounding_ends_all_progress(nodes):
    class Affine(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u)

        def boundary(self, u, D, x, n):
            return u - x[:, 0]

    model = nn.Linear(2, 1, dtype=torch.float64)
    problem = dtpinn.discretize(Affine(), nodes, order=3)
    result = dtpinn.fit(model, problem, 500, optimizer="gauss-newton")
    assert result.epochs < 500
    assert "no step lowers the loss" in result.stop_reason
    assert result.relative_error(lambda x: x[:, 0]) < 1e-12


@pytest.mark.parametrize(
    "how",
    mostly_full(["gauss-newton", functools.partial(GaussNewton, damping=1.0)], callable),
)
def test_a_vanilla_problem_is_trained_row_by_row(how, nodes):
    problem = dtpinn.vanilla(dtpinn.Poisson.from_solution(sine_cosine), nodes)
    model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    before = float(problem.loss(model).detach())
    result = dtpinn.fit(model, problem, 20, optimizer=how)
    assert result.loss < 0.1 * before
