"""Data from a chosen solution: exact, computed once, and untouched by what is learnt."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.pde import Dirichlet, Neumann, Robin
from dtpinn.pde.exact import boundary_data, source
from dtpinn.pde.solutions import sine_cosine, sine_cosine_sine


def test_manufactured_data_are_the_exact_derivatives():
    """Against the derivatives of (19) by hand."""
    x = 2 * torch.rand(50, 2) - 1
    a, b = math.pi * x[:, 0], math.pi * x[:, 1]
    laplacian = -2 * math.pi**2 * torch.sin(a) * torch.cos(b)
    gradient = math.pi * torch.stack([a.cos() * b.cos(), -a.sin() * b.sin()], dim=1)
    normals = torch.nn.functional.normalize(torch.randn(50, 2), dim=1)
    f = source(sine_cosine, lambda u, D, x: D.laplacian(u))
    g = boundary_data(sine_cosine, lambda u, D, x, n: D.normal(u))
    assert torch.allclose(f(x), laplacian)
    assert not f(x).requires_grad
    assert torch.allclose(g(x, normals), (gradient * normals).sum(1))


def test_manufactured_data_of_functions_with_vanishing_derivatives():
    x = torch.rand(4, 2)
    laplacian = lambda u, D, x: D.laplacian(u)  # noqa: E731
    assert torch.equal(source(lambda x: x[:, 0], laplacian)(x), torch.zeros(4))
    assert torch.equal(source(lambda x: torch.ones(len(x)), laplacian)(x), torch.zeros(4))
    with pytest.raises(ValueError, match=r"\(2,\) for points of shape \(4, 2\)"):
        source(lambda x: x.sum(0), laplacian)(x)


def test_the_data_of_the_heat_equation_are_those_of_the_paper():
    """f = u_t - Laplacian u for (20), by hand; u_0 = 1."""
    x, t = 2 * torch.rand(50, 2) - 1, torch.rand(50)
    waves = torch.sin(math.pi * x[:, 0]) * torch.cos(math.pi * x[:, 1])
    f = math.pi * waves * torch.cos(math.pi * t) + 2 * math.pi**2 * waves * torch.sin(math.pi * t)
    pde = dtpinn.Heat.from_solution(sine_cosine_sine)
    assert torch.allclose(pde.f(x, t), f)
    assert torch.equal(pde.u0(x), torch.ones(50))
    later = dtpinn.Heat.from_solution(sine_cosine_sine, start=0.5)
    assert torch.allclose(later.u0(x), 1 + waves)


class Decay(dtpinn.PDE):
    """A nonlinear equation in time, with an unknown coefficient in every part of it."""

    def __init__(self):
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(2.0))

    def residual(self, u, D, x, t):
        return D.time(u) + self.rate * u**3 - D.laplacian(u)

    def conditions(self):
        return {"circle": self.around}

    def around(self, u, D, x, n, t):
        return self.rate * D.normal(u) - u**2 * t

    def initial(self, u, D, x):
        return self.rate * u**2 - x[:, 0]


UNKNOWN = {
    "anybody's": lambda u: dtpinn.Manufactured(Decay(), u, start=0.1),
    "the library's": lambda u: dtpinn.Heat.from_solution(
        u, nn.Parameter(torch.tensor(2.0)), start=0.1, diffusivity=nn.Parameter(torch.tensor(3.0))
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_solution_holds_at_the_coefficients_it_was_made_with_and_at_no_others(name):
    u = lambda x, t: torch.sin(x[:, 0] + t) + x[:, 1] ** 2  # noqa: E731
    pde = UNKNOWN[name](u)
    coefficients = list(pde.parameters())
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    problem = dtpinn.vanilla(pde, nodes, times=[0.1, 0.3, 0.7])
    exact = dtpinn.pde.in_space_time(u)
    with torch.no_grad():
        for coefficient in coefficients:
            coefficient += 0.5  # before any data have been computed
    off = problem.loss(exact)
    slopes = torch.autograd.grad(off, coefficients)
    assert off > 1e-2
    assert all(slope > 0 for slope in slopes)
    with torch.no_grad():
        for coefficient in coefficients:
            coefficient -= 0.5
    assert problem.loss(exact) < 1e-25
    copied = copy.deepcopy(problem)  # with coefficients of its own, in every residual
    with torch.no_grad():
        for coefficient in copied.parameters():
            coefficient += 0.5
    torch.testing.assert_close(copied.loss(exact), off)
    assert problem.loss(exact) < 1e-25


def test_the_solution_is_differentiated_once_per_point_set():
    calls = []
    u = lambda x: calls.append(len(x)) or torch.sin(x[:, 0])  # noqa: E731
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    for pde in (
        dtpinn.Poisson.from_solution(u),
        dtpinn.Manufactured(dtpinn.Poisson(None, Dirichlet()), u),
    ):
        calls.clear()
        problem = dtpinn.discretize(pde, nodes)
        for _ in range(3):
            problem.loss(lambda x: x[:, 0])
        seen = [count for count in calls if count != 101]  # points of the dry run
        assert sorted(seen) == sorted(len(region.rows) for region in problem.regions)


def test_conditions_are_given_without_their_data_and_are_left_as_they_are():
    u = lambda x: torch.sin(x[:, 0])  # noqa: E731
    alpha = nn.Parameter(torch.tensor(2.0))
    shared = Robin(alpha, 1.0)
    pde = dtpinn.Poisson.from_solution(u, boundary={"left": shared, "right": shared})
    assert shared.g is None
    assert [p is alpha for p in pde.parameters()] == [True]
    assert set(pde.conditions()) == {"left", "right"}
    with pytest.raises(ValueError, match="give the condition without them"):
        dtpinn.Poisson.from_solution(u, boundary=Neumann(lambda x, n: x[:, 0]))


def test_what_is_no_equation_and_what_is_no_solution_in_time_is_refused():
    with pytest.raises(
        TypeError, match=r"the solution u takes \(x: .*called with 2 of these: x, t"
    ):
        dtpinn.Heat.from_solution(sine_cosine).f(torch.rand(5, 2), torch.rand(5))
    with pytest.raises(TypeError, match=r"expected a dtpinn\.PDE, got function"):
        dtpinn.Manufactured(sine_cosine, sine_cosine)
