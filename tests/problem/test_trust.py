"""A solution that is not to be trusted is not handed out without a word, and others are."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Disk, Interval, Polygon, Rectangle
from dtpinn.pde import Dirichlet, Neumann
from dtpinn.problem import NotResolved
from dtpinn.problem.direct.continuation import solve_steady
from dtpinn.problem.direct.square_system import starting_values
from dtpinn.problem.fresh import fresh_residual
from dtpinn.problem.trust import heavy_rows
from tests.marks import mostly_full


class Layer(dtpinn.PDE):
    """-eps u'' + u' = 1, u = 0 at both ends."""

    def __init__(self, eps):
        super().__init__()
        self.eps = eps

    def residual(self, u, D, x):
        return -self.eps * D.laplacian(u) + D.partial(u, 0) - 1.0

    def boundary(self, u, D, x, n):
        return u

    def solution(self, x):
        x = x[:, 0]
        rise = torch.exp((x - 1) / self.eps) * (1 - torch.exp(-x / self.eps))
        return x - rise / (1 - torch.exp(torch.tensor(-1 / self.eps)))


def relative(u, exact):
    return float((u - exact).norm() / exact.norm())


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize(
    ("eps", "h", "resolved"),
    [(1e-3, 0.02, False), (1e-3, 0.005, False), (1e-2, 0.002, True), (1e-1, 0.02, True)],
)
def test_a_layer_is_not_resolved_or_its_estimate_is_right(eps, h, resolved, order):
    pde = Layer(eps)
    problem = dtpinn.discretize(pde, dtpinn.place_nodes(Interval(0, 1), spacing=h), order)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        u = problem.solve()
    estimate = problem.estimate(pde.solution)
    error = relative(u, pde.solution(problem.points))
    assert estimate.resolved is resolved
    assert ("NOT RESOLVED" in str(estimate)) is not resolved
    assert any(w.category is NotResolved for w in told) is not resolved
    if resolved:
        assert error / 3 < estimate.discretisation < 3 * error
    else:  # and where: beside the layer at x = 1
        assert "near (0.9" in str(told[0].message)


class Rising(Layer):
    """The same layer, as it forms from u = 0."""

    def residual(self, u, D, x, t):
        return D.time(u) + super().residual(u, D, x)

    def boundary(self, u, D, x, n, t):
        return u

    def initial(self, u, D, x):
        return u


@pytest.mark.parametrize(("eps", "resolved"), [(1e-3, False), (1e-1, True)])
def test_a_layer_that_forms_in_time_is_told_as_well(eps, resolved):
    nodes = dtpinn.place_nodes(Interval(0, 1), spacing=0.02)
    problem = dtpinn.discretize(Rising(eps), nodes, times=torch.linspace(0.0, 1.5, 4))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        problem.solve(time_tolerance=1e-6)
    assert any(w.category is NotResolved for w in told) is not resolved


def test_waves_of_three_nodes_are_told_and_waves_of_twelve_are_not():
    for waves, resolved in ((20.0, False), (5.0, True)):
        exact = lambda x, k=waves: torch.sin(k * x[:, 0]) * torch.sin(k * x[:, 1])  # noqa: E731
        pde = dtpinn.Poisson.from_solution(exact, boundary=Dirichlet())
        nodes = dtpinn.place_nodes(Rectangle((0, 0), (1, 1)), spacing=0.1)
        assert dtpinn.discretize(pde, nodes).estimate(exact).resolved is resolved


@pytest.mark.parametrize("spacing", mostly_full([0.1, 0.06, 0.03], {0.06}.__contains__))
def test_the_corner_of_an_l_is_seen_by_the_estimate(spacing):
    """The largest u, 0.1494124, from the method of particular solutions (tests/answers)."""
    bar = Polygon([(0, 0), (1, 0), (1, -1), (-1, -1), (-1, 1), (0, 1)])
    pde = dtpinn.Poisson(lambda x: -torch.ones(len(x), dtype=x.dtype), Dirichlet())
    for seed in range(3):
        nodes = dtpinn.place_nodes(bar, spacing=spacing, seed=seed)
        problem = dtpinn.discretize(pde, nodes)
        u = problem.solve()
        error = abs(float(u.max()) / 0.1494124 - 1)
        told = problem.estimate(u)
        assert told.distance < 1e-12
        assert error / 3 < told.at_most < 10 * error


def test_what_is_solved_to_rounding_leaves_nothing():
    """All terms of the equation vanish, and what is left of them is rounding too."""
    sides = {"left": Dirichlet(), "right": Neumann(lambda x, n: n[:, 0])}
    sides |= {"top": Neumann(), "bottom": Neumann()}
    nodes = dtpinn.place_nodes(Rectangle((0, 0), (1, 1)), spacing=0.1)
    problem = dtpinn.discretize(dtpinn.Poisson(None, sides), nodes)
    u = solve_steady(problem.system, starting_values(problem.posed, None))
    fresh = fresh_residual(problem.system, u)
    assert fresh is not None
    assert fresh.share == 0.0


def test_an_equation_whose_terms_all_vanish_is_no_cause_for_alarm():
    """A plate begins to drag the fluid over another: across the plates nothing flows, p = 0."""
    strip = Rectangle((0, 0), (0.5, 1), periodic=(True, False))
    begins = lambda x, n, t: torch.stack([1 - torch.exp(-50 * t), 0 * t], dim=1)  # noqa: E731
    plates = {
        "top": Dirichlet(begins, field=("u", "v")),
        "bottom": Dirichlet((0.0, 0.0), field=("u", "v")),
    }
    nodes, pressure = dtpinn.place_nodes(strip, spacing=0.1), [dtpinn.Mean(0.0, field="p")]
    problem = dtpinn.discretize(
        dtpinn.Stokes(1.0, plates), nodes, times=[0.0, 0.05, 0.1], constraints=pressure
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        u = problem.solve(time_tolerance=1e-6)
    # Duhamel's integral of the series for a plate that starts at once.
    assert float(u(torch.tensor([[0.2, 0.5, 0.1]]))[0, 0]) == pytest.approx(0.207983, rel=1e-3)


def test_between_the_nodes_a_residual_is_the_equations():
    """Of a function that is no solution: twice the Laplacian that the equation asks for."""
    pde = dtpinn.Poisson.from_solution(lambda x: (x**2).sum(1), boundary=Dirichlet())
    nodes = dtpinn.place_nodes(Disk(), spacing=0.15)
    problem = dtpinn.discretize(pde, nodes)
    fresh = fresh_residual(problem.system, 2.0 * (problem.nodes.extended**2).sum(axis=1))
    assert np.allclose(fresh.residual, 4.0, atol=1e-8)
    assert np.allclose(fresh.size, 8.0 + 4.0, atol=1e-8)
    assert abs(fresh.share - 1 / 3) < 1e-6


def test_data_known_at_the_nodes_only_say_nothing_between_them():
    nodes = dtpinn.place_nodes(Disk(), spacing=0.15)
    source = dtpinn.pde.NodalData(nodes.collocation, np.ones(nodes.count))
    problem = dtpinn.discretize(dtpinn.Poisson(source, Dirichlet()), nodes)
    assert problem.estimate(lambda x: x[:, 0]).unresolved is None


def test_huge_weights_are_told_with_their_place():
    nodes = dtpinn.place_nodes(Disk(), spacing=0.1)
    L = dtpinn.rbffd.laplacian(nodes).to_scipy().tolil()
    L[7] *= 1e3
    pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0])
    problem = dtpinn.discretize(pde, nodes, operators={"laplacian": L.tocsr()})
    np.testing.assert_array_equal(heavy_rows(problem.system), nodes.collocation[[7]])
    with pytest.warns(NotResolved, match="weights of 1 stencils"):
        problem.solve()
    assert not len(heavy_rows(dtpinn.discretize(pde, nodes).system))
