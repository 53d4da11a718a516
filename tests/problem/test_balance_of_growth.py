"""Weights where a term grows fast: slopes are those of a state that the equation can have."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.geometry import Disk
from dtpinn.problem.balance.attainable import attainable_state


class Growth(dtpinn.PDE):
    """``Lap u + 30 = k exp(3 u)``, u = 0 around it: u is up to 1.4, and 12 without the reaction."""

    def __init__(self, k):
        super().__init__()
        self.k = k

    def residual(self, u, D, x):
        return D.laplacian(u) + 30.0 - self.k * torch.exp(3 * u)

    def boundary(self, u, D, x, n):
        return u


def unknown(start):
    return nn.Parameter(torch.tensor(start, dtype=torch.float64))


def on(spacing, seed, pde, order=4, **more):
    nodes = dtpinn.place_nodes(Disk(), spacing=spacing, seed=seed)
    return dtpinn.discretize(pde, nodes, order, **more)


def test_a_term_that_grows_fast_leaves_its_equation_a_weight():
    """30 = k exp(3 u) at u = 2: the slope there is 90, and not that of u = 10."""
    problem = on(0.15, 1, Growth(unknown(0.1)))
    assert problem.scales.unit > 5.0
    state = attainable_state(problem.posed, problem.scales)
    assert 1.0 < state < 2.5
    assert problem.weights["pde"] > 1e-6 * problem.weights["boundary"]


def test_where_terms_are_linear_the_state_is_the_whole_unit():
    problem = on(0.2, 0, dtpinn.Poisson(1.0, dtpinn.Dirichlet(300.0)))
    scales = problem.scales
    assert attainable_state(problem.posed, scales) == pytest.approx(scales.centre + scales.unit)


@pytest.mark.full
@pytest.mark.parametrize("start", [0.1, 2.0])
def test_the_factor_of_a_growing_term_is_found_from_a_solution_on_other_nodes(start):
    """Data of `solve()` on finer nodes, by another order; for 0.1 the factor never moved."""
    u = on(0.06, 0, Growth(0.5), order=5).solve()
    points = dtpinn.place_nodes(Disk(), spacing=0.3, seed=3).interior
    pde = Growth(unknown(start))
    problem = on(0.12, 1, pde, data=[dtpinn.Data(points, u(points))])
    dtpinn.fit(dtpinn.MLP(2, width=20, depth=2, seed=0), problem, 60, optimizer="gauss-newton")
    assert pde.k.item() == pytest.approx(0.5, rel=1e-2)
