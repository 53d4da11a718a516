"""Dirichlet conditions built in: exact from the start, on parts, in time, and worth it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.models import MLP, HardBoundary, Normalised, Siren

SQUARE = dtpinn.geometry.Rectangle()


def test_values_are_exact_wherever_the_factor_is_zero():
    def g(x):
        return 300.0 + x[..., 0] * x[..., 1] ** 2

    ell = dtpinn.geometry.Polygon([(0, 0), (1, 0), (1, -1), (-1, -1), (-1, 1), (0, 1)])
    boundary = torch.from_numpy(ell.walk_boundary(0.1).points.copy())
    model = HardBoundary(Siren(2, seed=0), ell.boundary_factor, g)
    assert (model(boundary) - g(boundary)).abs().max() < 1e-12
    assert (model(boundary[:1] + 0.3) - g(boundary[:1] + 0.3)).abs() > 1e-3
    assert model(boundary[0]).shape == ()


def torsion(x):
    """-Lap u = 1 on the unit square, u = 0 on its boundary: by separation of variables."""
    u = 0.5 * x[:, 0] * (1 - x[:, 0])
    for k in range(1, 200, 2):
        a = k * math.pi
        hyperbolic = torch.exp(a * (x[:, 1] - 1)) + torch.exp(-a * x[:, 1])
        u = u - 4 / a**3 * torch.sin(a * x[:, 0]) * hyperbolic / (1 + math.exp(-a))
    return u


def test_a_loaded_membrane_is_trained_to_the_error_of_the_discretisation():
    """The soft condition is left with four to twenty times that, by L-BFGS as well."""
    pde = dtpinn.Poisson(lambda x: -torch.ones(len(x)), dtpinn.Dirichlet())
    problem = dtpinn.discretize(pde, dtpinn.place_nodes(SQUARE, spacing=0.1))
    exact = torsion(problem.points)
    floor = float((problem.solve() - exact).norm() / exact.norm())
    errors = {}
    for soft in (True, False):
        network = MLP(2, width=12, depth=1, seed=0)
        model = network if soft else HardBoundary(network, SQUARE.boundary_factor)
        result = dtpinn.fit(model, problem, 12, optimizer="gauss-newton")
        errors[soft] = result.relative_error(torsion)
    assert errors[False] < 5 * floor  # 1.2 to 3; after more iterations 1
    assert errors[False] < errors[True] / 4
    boundary = problem.residuals(model)["boundary"]
    assert boundary.abs().max() < 1e-15


def test_a_condition_on_a_part_leaves_the_other_to_training():
    """Laplace on a square between 0 below and 1 above, sides insulated: u is the height."""
    conditions = {
        "bottom": dtpinn.Dirichlet(), "top": dtpinn.Dirichlet(lambda x, n: torch.ones(len(x))),
        "left": dtpinn.Neumann(), "right": dtpinn.Neumann(lambda x, n: 0 * x[:, 0]),
    }  # fmt: skip
    pde, nodes = dtpinn.Poisson(None, conditions), dtpinn.place_nodes(SQUARE, spacing=0.14)
    for problem, epochs in ((dtpinn.discretize(pde, nodes), 4), (dtpinn.vanilla(pde, nodes), 2)):
        model = HardBoundary(
            MLP(2, width=8, depth=1, seed=0),
            lambda x: SQUARE.boundary_factor(x, ["bottom", "top"]),
            lambda x: torch.sin(0.5 * math.pi * x[..., 1]),  # any function with these values
        )
        result = dtpinn.fit(model, problem, epochs)
        parts = problem.residuals(model)
        assert max(parts[f"boundary.{name}"].abs().max() for name in ("bottom", "top")) < 1e-15
        assert result.relative_error(lambda x: x[:, 1]) < 1e-2


@pytest.mark.full
def test_in_time_the_start_is_exact_too():
    """Cooling of a rod: exp(-pi^2 t) sin(pi x)."""
    rod = dtpinn.geometry.Interval()
    pde = dtpinn.Heat(None, dtpinn.Dirichlet(), lambda x: torch.sin(math.pi * x[:, 0]))
    times = torch.linspace(0, 0.1, 6)
    problem = dtpinn.discretize(pde, dtpinn.place_nodes(rod, spacing=0.06), times=times)
    model = HardBoundary(
        MLP(2, width=10, depth=1, seed=0),
        lambda x: rod.boundary_factor(x) * 10 * x[..., 1],
        lambda x: torch.sin(math.pi * x[..., 0]),
    )
    result = dtpinn.fit(model, problem, 12, optimizer="gauss-newton")
    parts = problem.residuals(model)
    assert max(parts[name].abs().max() for name in ("boundary", "initial")) < 1e-14
    exact = lambda x: torch.exp(-(math.pi**2) * x[:, 1]) * torch.sin(math.pi * x[:, 0])  # noqa: E731
    assert result.relative_error(exact) < 1e-3


def test_fields_of_a_system_have_factors_and_values_of_their_own():
    x = torch.rand(5, 2)
    network = MLP(2, width=5, depth=1, fields=2, seed=0)
    d = SQUARE.boundary_factor(x)
    one = HardBoundary(network, SQUARE.boundary_factor)
    torch.testing.assert_close(one(x), d[:, None] * network(x))
    second_free = HardBoundary(network, lambda x: torch.stack([d, torch.ones(5)], -1), lambda x: x)
    torch.testing.assert_close(second_free(x)[:, 1], network(x)[:, 1] + x[:, 1])
    torch.testing.assert_close(second_free(x)[:, 0], d * network(x)[:, 0] + x[:, 0])


def test_any_network_goes_in_and_one_that_is_normalised_is_so_within():
    plain = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    assert HardBoundary(plain, SQUARE.boundary_factor).normalisation is None
    model = HardBoundary(Normalised(plain, inputs=2), SQUARE.boundary_factor)
    pde = dtpinn.Poisson(None, dtpinn.Dirichlet(lambda x, n: 300.0 + x[:, 0]))
    dtpinn.fit(model, dtpinn.discretize(pde, dtpinn.place_nodes(SQUARE, spacing=0.1)), 1)
    assert model.normalisation.known
    assert model.normalisation.centre > 100  # that of u, which is for `value` to have
    assert model(torch.rand(5, 2)).abs().max() < 100


def test_what_is_no_function_or_returns_another_shape_is_named():
    network = MLP(2, width=4, depth=1, seed=0)
    with pytest.raises(TypeError, match=r"expected network to be an nn\.Module, got"):
        HardBoundary(lambda x: x, SQUARE.boundary_factor)
    with pytest.raises(TypeError, match=r"expected factor to be a function .* got Rectangle"):
        HardBoundary(network, SQUARE)
    with pytest.raises(TypeError, match=r"expected value to be a function .* got 1\.0"):
        HardBoundary(network, SQUARE.boundary_factor, 1.0)
    x = torch.rand(5, 2)
    with pytest.raises(ValueError, match=r"factor to return a tensor of shape \(5,\) .*\[5, 2\]"):
        HardBoundary(network, lambda x: x)(x)
    with pytest.raises(ValueError, match=r"value to return a tensor of shape \(5,\) .*float"):
        HardBoundary(network, SQUARE.boundary_factor, lambda x: 1.0)(x)
