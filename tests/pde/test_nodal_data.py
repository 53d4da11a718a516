"""Values at the nodes as functions: found in any order, refused elsewhere."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from dtpinn.pde import NodalData


@pytest.fixture
def nodes():
    return dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)


def test_points_are_found_in_any_order_and_subset(rng):
    points, values = rng.random((50, 3)), rng.random((50, 2))
    data = NodalData(points, values)
    picked = rng.integers(0, 50, 20)
    assert torch.equal(data(torch.tensor(points[picked])), torch.tensor(values[picked]))
    single = data(torch.tensor(points[picked], dtype=torch.float32))
    assert torch.equal(single, torch.tensor(values[picked], dtype=torch.float32))


def test_values_may_depend_on_the_time_or_not(rng):
    x, t = torch.rand(6, 2), torch.arange(6) / 5
    with_time = torch.cat([x, t[:, None]], dim=1)
    values = torch.rand(6)
    assert torch.equal(NodalData(with_time, values)(x, t), values)
    assert torch.equal(NodalData(with_time, values)(x, torch.rand(6, 2), t), values)
    assert torch.equal(NodalData(x, values)(x, t), values)


@pytest.mark.parametrize("backend", [dtpinn.discretize, dtpinn.vanilla])
def test_an_equation_takes_its_data_from_the_nodes(backend, nodes):
    f, g = (lambda x: x[:, 0] ** 3), (lambda x, n: x[:, 1] * n[:, 0])
    X, edge, normals = map(torch.tensor, (nodes.collocation, nodes.boundary, nodes.normals))
    measured = dtpinn.Poisson(
        NodalData(X, f(X)), dtpinn.Robin(1, 1, NodalData(edge, g(edge, normals)))
    )
    model = dtpinn.MLP(2, width=5, depth=1, seed=0)
    wanted = backend(dtpinn.Poisson(f, dtpinn.Robin(1, 1, g)), nodes).loss(model)
    torch.testing.assert_close(backend(measured, nodes).loss(model), wanted)


class Measured(dtpinn.PDE):
    """Somebody's own, with the data as they are."""

    def __init__(self, data):
        super().__init__()
        self.data = data

    def residual(self, u, D, x):
        return D.laplacian(u) - self.data

    def boundary(self, u, D, x, n):
        return u


def test_data_that_are_no_function_are_told_what_to_be(nodes):
    captured = torch.tensor(nodes.collocation[:, 0])
    for pde in (dtpinn.Poisson(lambda x: captured, dtpinn.Dirichlet()), Measured(captured)):
        with pytest.raises(ValueError, match=r"dtpinn\.pde\.NodalData\(points, values\)"):
            dtpinn.discretize(pde, nodes)


def test_elsewhere_is_an_error_that_says_where(nodes):
    data = NodalData(nodes.interior, nodes.interior[:, 0])
    with pytest.raises(ValueError, match=r"\d+ of 101 points are none of its own.*collocation"):
        dtpinn.discretize(dtpinn.Poisson(data, dtpinn.Dirichlet()), nodes)
    with pytest.raises(ValueError, match="have no derivative"):
        data(torch.tensor(nodes.interior, requires_grad=True))
    with pytest.raises(ValueError, match="have 2 coordinates"):
        data(torch.rand(4, 3))


WRONG = {
    "lengths": (torch.rand(4, 2), torch.rand(5), r"shapes \(4, 2\) and \(5,\)"),
    "nothing": (torch.rand(0, 2), torch.rand(0), "got shapes"),
    "not a number": (torch.rand(4, 2), torch.full((4,), torch.nan), "finite"),
    "twice": (torch.rand(4, 2)[[0, 1, 2, 1]], torch.rand(4), "points 1 and 3 are both"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_told(case):
    points, values, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        NodalData(points, values)


def test_nodes_are_no_points():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.4)
    with pytest.raises(TypeError, match=r"their points are nodes\.collocation"):
        dtpinn.pde.NodalData(nodes, nodes.collocation[:, 0])
