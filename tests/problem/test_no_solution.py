"""Nonlinear equations that have no solution, or hardly one: told, and not invented."""

import math

import pytest
import torch

import dtpinn
from dtpinn.problem.direct.newton import NotConverged
from tests.marks import mostly_full


class Equation(dtpinn.PDE):
    """``lap u = g(u)``, with u or du/dn zero on the boundary."""

    def __init__(self, g, held):
        super().__init__()
        self.g, self.held = g, held

    def residual(self, u, D, x):
        return D.laplacian(u) - self.g(u)

    def boundary(self, u, D, x, n):
        return u if self.held else D.normal(u)


@pytest.mark.parametrize(
    "g", [lambda u: 1 / u, torch.exp, lambda u: -torch.exp(-u)], ids=["1/u", "exp", "-exp(-u)"]
)
@pytest.mark.parametrize("spacing", mostly_full([0.15, 0.25], lambda h: h == 0.25))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_one_that_only_infinity_solves(g, spacing, disk):
    """Its mean would have to vanish, and g has one sign: under Neumann conditions u runs off."""
    problem = dtpinn.discretize(Equation(g, held=False), disk(spacing), order=3)
    with pytest.raises(RuntimeError, match=r"does not settle|singular"):
        problem.solve(lambda x: torch.ones(len(x), dtype=x.dtype))


def bratu_root(strength):
    """Of t = sqrt(2 strength) cosh(t / 4), the smaller one, by iteration."""
    t = 0.0
    for _ in range(20_000):
        t = math.sqrt(2 * strength) * math.cosh(t / 4)
    return t


@pytest.mark.parametrize("strength", [1.0, 3.0, 3.5])  # there is none beyond 3.5138
def test_one_near_its_turning_point_is_solved(strength):
    """Bratu's ``u'' + c exp(u) = 0``: u(1/2) = 2 log(cosh(t / 4)), from rest."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.02)
    problem = dtpinn.discretize(Equation(lambda u: -strength * torch.exp(u), held=True), nodes)
    top = 2 * math.log(math.cosh(bratu_root(strength) / 4))
    middle = problem.solve()(torch.tensor([[0.5]], dtype=torch.float64))
    assert float(middle) == pytest.approx(top, rel=1e-4)


@pytest.mark.full
def test_one_beyond_its_turning_point_is_refused():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    problem = dtpinn.discretize(Equation(lambda u: -3.6 * torch.exp(u), held=True), nodes)
    with pytest.raises(NotConverged, match="the solution is lost at"):
        problem.solve()
