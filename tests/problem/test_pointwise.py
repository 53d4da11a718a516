"""Residuals that couple points are refused by name wherever a Jacobian is taken; others pass."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

import dtpinn
from tests.marks import mostly_full
from tests.problem.more_equations import CASES, clouds, tells_most

INSIDE = {
    "flip": lambda u: u - u.flip(0),
    "mean": lambda u: u - u.mean(),
    "cumsum": lambda u: torch.cumsum(u, 0),
    "sort": lambda u: torch.sort(u).values,
    "the point beside": lambda u: torch.roll(u, 1, 0),
    "one point for all": lambda u: u - u[0],
    "a pair alone": lambda u: torch.cat([u[1:2], u[1:]]),
    "max": lambda u: u - u.max(),
    "softmax": lambda u: torch.softmax(u, 0),
}


class Coupled(dtpinn.PDE):
    """Lap u + 10 mixed(v) = 1 with u = 0, where v is the unknown or its gradient."""

    def __init__(self, mixed, where="u"):
        super().__init__()
        self.mixed, self.where = mixed, where

    def residual(self, u, D, x):
        if self.where == "gradient":
            return D.laplacian(u) + self.mixed(D.partial(u, 0)) - 1
        inside = self.mixed(u) if self.where == "u" else 0 * u
        return D.laplacian(u) + 10 * inside - 1

    def boundary(self, u, D, x, n):
        return self.mixed(u) if self.where == "boundary" else u


class CoupledInTime(dtpinn.PDE):
    def __init__(self, mixed, where):
        super().__init__()
        self.mixed, self.where = mixed, where

    def residual(self, u, D, x, t):
        rate = D.time(u)
        return (self.mixed(rate) if self.where == "rate" else rate) - D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return u

    def initial(self, u, D, x):
        return self.mixed(u) if self.where == "initial" else u - x[:, 0]


def wavy(shape):
    return np.sin(7.0 * np.arange(np.prod(shape)) ** 1.1).reshape(shape)


@pytest.mark.parametrize(
    ("name", "where"),
    mostly_full(
        product(INSIDE, ["u", "gradient", "boundary"]),
        lambda case: case[1] == "u" or case[0] in ("mean", "a pair alone"),
    ),
)
def test_what_couples_points_is_refused_by_name(name, where, disk):
    mixed = INSIDE[name]
    problem = dtpinn.discretize(Coupled(mixed, where), disk(0.2), order=2)
    name = "'boundary': Coupled.boundary" if where == "boundary" else "'pde': Coupled.residual"
    with pytest.raises(ValueError, match=f"{name} couples points"):
        problem.linearize(wavy(len(problem.extended_points)))
    model = dtpinn.MLP(2, width=8, depth=1, seed=0)
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(ValueError, match=f"{name} couples points"):
        dtpinn.fit(model, problem, epochs=1, optimizer="gauss-newton")
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    # The remedy of the message: the gradient of the loss is right, and L-BFGS takes it.
    history = dtpinn.fit(model, problem, epochs=2, optimizer="lbfgs").history
    assert history[-1].loss < history[0].loss


def test_the_direct_solve_and_the_estimate_refuse_them_too(disk):
    for mixed in (INSIDE["mean"], INSIDE["flip"], INSIDE["sort"]):
        problem = dtpinn.discretize(Coupled(mixed), disk(0.2), order=2)
        guess = wavy(disk(0.2).count)
        with pytest.raises(ValueError, match="couples points"):
            problem.solve(guess)
        with pytest.raises(ValueError, match="couples points"):
            problem.estimate(dtpinn.MLP(2, seed=0))


@pytest.mark.parametrize("where", ["rate", "initial"])
def test_they_are_refused_in_space_time(where, disk):
    pde = CoupledInTime(lambda v: v - 0.5 * v.mean(), where)
    times = torch.linspace(0.0, 0.1, 3)
    problem = dtpinn.discretize(pde, disk(0.2), order=2, times=times)
    name = {"rate": "'pde': CoupledInTime.residual", "initial": "'initial': "}[where]
    with pytest.raises(ValueError, match=f"{name}.*couples points"):
        problem.solve()
    model = dtpinn.MLP(3, width=8, depth=1, seed=0)
    with pytest.raises(ValueError, match=f"{name}.*couples points"):
        dtpinn.fit(model, problem, epochs=1, optimizer="gauss-newton")


def test_sampled_rows_and_fp32_are_no_way_around(disk):
    problem = dtpinn.discretize(Coupled(INSIDE["flip"]), disk(0.2), order=2, dtype=torch.float32)
    model = dtpinn.MLP(2, width=8, depth=1, seed=0, dtype=torch.float32)
    residuals = problem.least_squares(model)
    optimizer = dtpinn.optim.GaussNewton(residuals.parameters, rows=20)
    with pytest.raises(ValueError, match="couples points"):
        optimizer.step(residuals)


@pytest.mark.parametrize("name", mostly_full(CASES, tells_most))
def test_pointwise_equations_pass_at_any_state(name):
    case = CASES[name]
    nodes = clouds(case.domain)[0]
    problem = dtpinn.discretize(case.pde, nodes, 2, times=case.times)
    shape = (len(problem.extended_points), *[case.pde.fields] * (case.pde.fields > 1))
    for scale in (1e-8, 1.0, 1e2):
        u = scale * wavy(shape)
        rates = [u[::-1], -u][: problem.posed.time_order]
        assert problem.linearize(u, *rates).jacobians["pde"].nnz > 0


class Closure(dtpinn.PDE):
    """-div(k(u) grad u) = f(x), the conductivity a network of the unknown, f data at the nodes."""

    def __init__(self, points):
        super().__init__()
        self.k = nn.Sequential(nn.Linear(1, 7), nn.Tanh(), nn.Linear(7, 1), nn.Softplus()).double()
        self.f = dtpinn.pde.NodalData(points, np.cos(3 * points[:, 0]))
        self.norm = nn.LayerNorm(2, dtype=torch.float64)

    def residual(self, u, D, x):
        k = self.k(u[:, None])[:, 0]
        slope = (self.norm(D.gradient(u)) * D.gradient(u)).sum(1)
        change = D.partial(lambda u, x: self.k(u[:, None])[:, 0], 0)
        return k * D.laplacian(u) + slope + self.f(x) + change

    def boundary(self, u, D, x, n):
        return torch.where(x[:, 0] > 0, u, torch.relu(u) - 0.1 * u.abs())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("rows", [None, 40])
def test_modules_and_measurements_inside_an_equation_pass(dtype, rows, disk):
    nodes = disk(0.2)
    torch.manual_seed(0)
    pde = Closure(nodes.collocation).to(dtype)
    problem = dtpinn.discretize(pde, nodes, order=3, dtype=dtype)
    model = dtpinn.MLP(2, width=8, depth=2, seed=0, dtype=dtype)
    residuals = problem.least_squares(model)
    optimizer = dtpinn.optim.GaussNewton(residuals.parameters, rows=rows, max_iterations=3)
    first = optimizer.step(residuals)
    assert float(residuals.residual().double().square().sum()) < first


def test_near_a_minimum_nothing_is_refused(disk):
    """The gradient is all rounding there; the check does not look along it."""
    problem = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Dirichlet()), disk(0.2), order=2)
    model = dtpinn.MLP(2, width=8, depth=1, seed=0)
    with torch.no_grad():
        for p in model.layers[-1].parameters():
            p.zero_()
    residuals = problem.least_squares(model)
    assert residuals.residual().abs().max() == 0.0
    assert residuals.jacobian().shape[1] == 33


class Whispering(nn.Module):
    """Mixes the points of a batch beyond the first few: no probe of three points sees it."""

    def __init__(self):
        super().__init__()
        self.inner = dtpinn.MLP(2, width=8, depth=1, seed=0)

    def forward(self, x):
        u = self.inner(x)
        return u if len(u) < 50 else torch.cat([u[:40], u[40:] - u[40:].mean()])


def test_a_model_that_mixes_points_is_refused_by_the_gradient(disk):
    problem = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Dirichlet()), disk(0.2), order=2)
    with pytest.raises(ValueError, match=r"Jacobian of the residual '.*' differs from automatic"):
        dtpinn.fit(Whispering(), problem, epochs=1, optimizer="gauss-newton")


@pytest.mark.parametrize("make", [dtpinn.discretize, dtpinn.vanilla])
@pytest.mark.parametrize("mixed", INSIDE.values(), ids=INSIDE)
def test_functions_that_derivatives_are_taken_of_must_be_pointwise(mixed, make, disk):
    class Inside(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(lambda u, x: mixed(u + x[:, 1] ** 2))

        def boundary(self, u, D, x, n):
            return u

    with pytest.raises(ValueError, match=r"D\.laplacian: the function .* must be pointwise"):
        make(Inside(), disk(0.2))
