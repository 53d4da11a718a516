"""Every equation of the library, and some that are not in it, with every kind of condition."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from tests.marks import mostly_full
from tests.problem.more_equations import (
    CASES,
    OWN,
    clouds,
    error_of_the_direct_solve,
    observed_order,
    tells_most,
)
from tests.problem.parity import both, network

STEADY = [name for name, case in CASES.items() if case.times is None and case.solvable]


def sizes(problem, model):
    """Root mean square of each residual."""
    return {name: r.square().mean().sqrt().item() for name, r in problem.residuals(model).items()}


@pytest.mark.parametrize("name", mostly_full(CASES, OWN.__contains__))
def test_residuals_and_gradients_agree_to_the_truncation_error(name):
    case = CASES[name]
    nodes = clouds(case.domain)
    model = network(nodes[0].dimension + (case.times is not None), case.pde.fields)
    differences = [both(case.pde, n, case.times, case.order, model) for n in nodes]
    for part, fine in differences[1].items():
        assert fine < 1e-3, part
        if fine > 1e-14:  # there is a spatial derivative in it
            found = observed_order(case.domain, [d[part] for d in differences])
            assert found > case.order - 1.2, part  # the largest on clouds that are not similar


@pytest.mark.parametrize("name", mostly_full(CASES, tells_most))
def test_the_solution_is_a_root_of_every_residual(name):
    """To round-off by automatic differentiation, to the truncation error by RBF-FD."""
    case = CASES[name]
    nodes = clouds(case.domain)
    exact = dtpinn.vanilla(case.pde, nodes[0], times=case.times, collocation="all")
    assert max(sizes(exact, case.model).values()) < 1e-12
    coarse, fine = (
        sizes(dtpinn.discretize(case.pde, n, case.order, times=case.times), case.model)
        for n in nodes
    )
    for part, size in fine.items():
        if size > 1e-14:  # there is a spatial derivative in it
            found = observed_order(case.domain, (coarse[part], size))
            assert found > case.order - 0.7, part


@pytest.mark.parametrize(
    "name", mostly_full(STEADY, lambda name: tells_most(name) and not name.endswith("ball"))
)
def test_the_direct_solve_converges_at_the_order(name):
    case = CASES[name]
    errors = [error_of_the_direct_solve(case, nodes) for nodes in clouds(case.domain)]
    assert observed_order(case.domain, errors) > case.order - 0.5
    assert errors[1] < 1e-3


def vessel(x):
    """The classical thick-walled cylinder or sphere: r + 1 / r^(d - 1) along the radius."""
    return x + x / x.norm(dim=1, keepdim=True) ** x.shape[1]


# What nature does when it is left alone: each of these is a solution with f = 0, by hand.
UNFORCED = {
    "heat": (
        dtpinn.Heat,
        {"diffusivity": 0.7},
        lambda x, t: torch.sin(x[:, 0]) * torch.cos(2 * x[:, 1]) * torch.exp(-0.7 * 5 * t),
    ),
    "Helmholtz": (dtpinn.Helmholtz, {"wavenumber": 5.0}, lambda x: torch.sin(x @ x.new([3, 4]))),
    "Allen-Cahn, a front at rest": (
        dtpinn.AllenCahn,
        {"epsilon": 0.2},
        lambda x, t: torch.tanh(x[:, 0] / (0.2 * 2**0.5)),
    ),
    "Allen-Cahn, a phase that forms": (
        dtpinn.AllenCahn,
        {"epsilon": 0.2},
        lambda x, t: (1 + 3 * torch.exp(-2 * t)) ** -0.5,
    ),
    "Poisson-Boltzmann": (  # Liouville's equation: Laplacian u = exp(u)
        dtpinn.Poisson,
        {"reaction": torch.exp},
        lambda x: torch.log(8.0 / (1 - x.square().sum(1)) ** 2),
    ),
    "elasticity, plane strain": (
        dtpinn.LinearElasticity,
        {"material": dtpinn.pde.Young(2.0, 0.3, plane="strain")},
        vessel,
    ),
    "elasticity, in space": (
        dtpinn.LinearElasticity,
        {"material": dtpinn.pde.Young(2.0, 0.3, plane=None), "dimension": 3},
        vessel,
    ),
    "elasticity, a shear": (
        dtpinn.LinearElasticity,
        {"material": dtpinn.pde.Lame(2.0, 3.0)},
        lambda x: torch.stack([8 * x[:, 0] * x[:, 1], -4 * x[:, 0] ** 2 - x[:, 1] ** 2], 1),
    ),
}


@pytest.mark.parametrize("name", UNFORCED)
def test_solutions_by_hand_need_no_source(name):
    equation, coefficients, u = UNFORCED[name]
    pde = equation.from_solution(u, **coefficients)
    x, t = 0.1 + 0.5 * torch.rand(20, coefficients.get("dimension", 2)), torch.rand(20)
    source = pde.f(x, t) if equation.in_time else pde.f(x)
    assert source.abs().max() < 1e-12
