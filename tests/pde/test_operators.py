"""The vocabulary as data, and the functions of a PDE that are evaluated once."""

from __future__ import annotations

import copy
import gc
import math

import pytest
import torch

import dtpinn
from dtpinn.pde import operators
from dtpinn.pde.exact import boundary_data, source
from dtpinn.pde.solutions import sine_cosine


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_biharmonic_is_the_laplacian_twice(d):
    """On symbols: |k|^4 = (|k|^2)^2 for any frequency k."""
    k = torch.randn(d)

    def symbol(operator):
        return sum(
            c * math.prod(k[i] ** a for i, a in enumerate(alpha)) for alpha, c in operator.terms
        )

    assert torch.isclose(symbol(operators.biharmonic(d)), symbol(operators.laplacian(d)) ** 2)


def test_partial_derivatives_commute_and_are_checked():
    assert operators.partial(2, 0, 1) == operators.partial(2, 1, 0)
    for axes in ((), (2,), (-1,)):
        with pytest.raises(ValueError, match=r"in 0\.\.1"):
            operators.partial(2, *axes)


def test_known_functions_are_kept_by_point_set_and_forgotten_with_it():
    seen = []
    f = dtpinn.Known(lambda x, *t: seen.append(1) or x.sum(-1) + sum(t))
    x, other, t = torch.rand(5, 2), torch.rand(5, 2), torch.rand(5)
    assert torch.equal(f(x), f(x))
    assert len(seen) == 1
    f(other)
    assert len(seen) == 2
    assert torch.equal(f(x, t), x.sum(-1) + t)  # called with something more: not the same value
    assert torch.equal(f(x), x.sum(-1))
    assert len(f._seen) == 2
    del other
    gc.collect()
    assert len(f._seen) == 1
    assert len(copy.deepcopy(f)._seen) == 0


def test_known_functions_are_constants_of_the_points_dtype():
    f = dtpinn.Known(lambda x: x.double().sum(-1))
    x = torch.rand(5, 2, dtype=torch.float32)
    assert f(x).dtype == torch.float32
    slope = torch.nn.Parameter(torch.ones(2))
    assert not dtpinn.Known(lambda x: x.double() @ slope)(x).requires_grad


def test_known_functions_are_differentiated_where_the_points_are():
    f = dtpinn.Known(lambda x: x[:, 0] ** 2)
    x = torch.rand(5, 2, requires_grad=True)
    f(x).sum().backward()
    assert torch.equal(x.grad[:, 0], 2 * x[:, 0].detach())


def test_known_is_for_functions():
    with pytest.raises(TypeError, match="function"):
        dtpinn.Known(3.0)


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
    assert torch.allclose(g(x, normals), (gradient * normals).sum(1))


def test_manufactured_data_of_functions_with_vanishing_derivatives():
    x = torch.rand(4, 2)
    laplacian = lambda u, D, x: D.laplacian(u)  # noqa: E731
    assert torch.equal(source(lambda x: x[:, 0], laplacian)(x), torch.zeros(4))
    assert torch.equal(source(lambda x: torch.ones(len(x)), laplacian)(x), torch.zeros(4))
    with pytest.raises(ValueError, match=r"\(2,\) for points of shape \(4, 2\)"):
        source(lambda x: x.sum(0), laplacian)(x)


def test_conditions():
    g = lambda x, n: x[:, 0]  # noqa: E731
    assert (dtpinn.Dirichlet(g).alpha, dtpinn.Dirichlet(g).beta) == (0.0, 1.0)
    assert (dtpinn.Neumann(g).alpha, dtpinn.Neumann(g).beta) == (1.0, 0.0)
    u, x, n = torch.rand(5), torch.rand(5, 2), torch.rand(5, 2)

    class Slope:
        def normal(self, of):
            return 10 * of

    for condition, wanted in (
        (dtpinn.Robin(3.0, 2.0, g), 3 * 10 * u + 2 * u),
        (dtpinn.Dirichlet(g), u),
        (dtpinn.Neumann(g), 10 * u),
    ):
        assert torch.allclose(condition(u, Slope(), x, n), wanted - x[:, 0])
    with pytest.raises(TypeError, match="alpha must be a number"):
        dtpinn.Robin(torch.ones(3), 1.0, g)
    with pytest.raises(ValueError, match="both 0"):
        dtpinn.Robin(0, 0, g)


def test_an_unfinished_equation_says_what_is_missing():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    with pytest.raises(NotImplementedError, match="must define residual"):
        dtpinn.vanilla(dtpinn.PDE(), nodes)
