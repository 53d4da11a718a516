"""The published DT-PINN has the residuals of ours, computed another way."""

from __future__ import annotations

import functools

import pytest
import torch

import dtpinn
from dtpinn.experiments.published import published, published_optimizer
from dtpinn.pde.solutions import sine_cosine
from dtpinn.reference import CuPyProduct, Product, cupy_unavailable
from tests.problem.equations import Elasticity, ReactionInTime, TwoParts

pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")

TIMES = torch.linspace(0.0, 0.6, 4)


class Heat(dtpinn.PDE):
    def residual(self, u, D, x, t):
        return D.time(u) - D.laplacian(u) - x[:, 0] * t

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + u - t

    def initial(self, u, D, x):
        return u - x[:, 0]


@pytest.fixture(scope="module")
def nodes():
    cloud = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.15)
    names = ["left" if x < 0.1 else "right" for x in cloud.boundary[:, 0]]
    return dtpinn.Nodes.from_points(cloud.interior, cloud.boundary, cloud.normals, parts=names)


EQUATIONS = {
    "linear": lambda: (dtpinn.Poisson.from_solution(sine_cosine), None),
    "nonlinear": lambda: (dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp), None),
    "heat": lambda: (Heat(), TIMES),
    "functions of the unknown": lambda: (ReactionInTime(), TIMES),
    "two fields": lambda: (Elasticity(), None),
    "two parts": lambda: (TwoParts(), None),
}


def counted(model):
    calls = []

    def call(x):
        calls.append(len(x))
        return model(x)

    return call, calls


@pytest.mark.parametrize("name", EQUATIONS)
def test_residuals_and_gradient_are_those_of_discretize(name, nodes):
    """Both add up the same products of a row, up to 43 of them, in an order of their own."""
    pde, times = EQUATIONS[name]()
    model = dtpinn.MLP(2 + (times is not None), width=8, depth=2, fields=pde.fields, seed=1)
    discretize = functools.partial(dtpinn.discretize, weights="equal", ghosts="all", corners="mean")
    problems = [make(pde, nodes, 4, times=times) for make in (discretize, published)]
    ours, theirs = (problem.residuals(model) for problem in problems)
    assert ours.keys() == theirs.keys()
    for part, residual in ours.items():
        # Stencil weights are of the size of h^-2 and their sum is 0, hence the constant.
        assert (theirs[part] - residual).abs().max() < 1e-11 * residual.abs().max(), part
    parameters = [*model.parameters(), *pde.parameters()]
    gradients = [
        torch.cat([g.flatten() for g in torch.autograd.grad(p.loss(model), parameters)])
        for p in problems
    ]
    assert (gradients[1] - gradients[0]).norm() < 1e-10 * gradients[0].norm()


def test_the_heat_equation_goes_twice_through_the_network_in_every_slice(nodes, monkeypatch):
    problem = published(Heat(), nodes, times=TIMES)
    products = []
    multiply = Product.__call__
    monkeypatch.setattr(Product, "__call__", lambda P, x: products.append(P) or multiply(P, x))
    model, calls = counted(dtpinn.MLP(3, width=8, depth=1, seed=1))
    problem.loss(model)
    assert calls == [len(nodes.extended), nodes.count] * len(TIMES) + [nodes.count]
    assert len(products) == 2 * len(TIMES)  # L and B, each a product of its own


@pytest.mark.gpu
def test_on_a_gpu_the_products_are_cupys(nodes):
    if reason := cupy_unavailable():
        pytest.skip(reason)
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    model = dtpinn.MLP(2, width=8, depth=1, seed=1)
    here = published(pde, nodes).residuals(model)
    there = published(pde, nodes, device="cuda")
    (operator,) = {r.operator for r in there.requests if r.region == "pde"}
    assert isinstance(there.product(there.regions[0], operator), CuPyProduct)
    for name, residual in there.residuals(model.to("cuda")).items():
        assert torch.allclose(residual.cpu(), here[name], rtol=1e-10, atol=1e-10)


def test_it_is_trained_with_torchs_optimiser_at_the_published_step(nodes):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    model = dtpinn.MLP(2, width=8, depth=1, seed=1)
    result = dtpinn.fit(
        model, published(pde, nodes), epochs=3, optimizer=published_optimizer("poisson")
    )
    group = result.optimizer.param_groups[0]
    assert (group["lr"], group["max_iter"], group["history_size"]) == (0.04, 20, 100)
    assert group["line_search_fn"] is None
    assert result.history[-1].loss < result.history[0].loss
    with pytest.raises(ValueError, match="choose a step yourself"):
        published_optimizer("advection")
