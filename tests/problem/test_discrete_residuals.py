"""The weighted residuals and their Jacobian in all that is learnt, against autograd."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.nodes import ordering
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem.jacobian import model_jacobian
from dtpinn.problem.jacobian.model_jacobian import ModelJacobian
from tests.marks import mostly_full
from tests.problem.equations import Elasticity, ReactionInTime, SecondInTime, TwoParts

TIMES = torch.linspace(0.0, 0.6, 3)


class Learning(dtpinn.PDE):
    """Coefficients in every place: a factor, a vector, inside an operator, in a condition."""

    def __init__(self):
        super().__init__()
        self.k = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
        self.wind = nn.Parameter(torch.tensor([0.3, -0.2], dtype=torch.float64))
        self.on = dtpinn.Robin(1.0, nn.Parameter(torch.tensor(2.0, dtype=torch.float64)), self.g)

    @staticmethod
    def g(x, n):
        return x[:, 0]

    def residual(self, u, D, x):
        flux = D.partial(lambda u, x: self.k * u**2, 0)
        return self.k * D.laplacian(u) + (D.gradient(u) * self.wind).sum(1) - flux

    def boundary(self, u, D, x, n):
        return self.on(u, D, x, n)


class Shared(dtpinn.PDE):
    """One coefficient in equation and condition, one known to a function alone, one unused."""

    def __init__(self):
        super().__init__()
        self.k = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
        self.rate = rate = nn.Parameter(torch.tensor([0.4, -0.2], dtype=torch.float64))
        self.unused = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.on = dtpinn.Robin(1.0, self.k)
        self.reaction = lambda u: rate[0] * u + rate[1] * u**3

    def residual(self, u, D, x):
        return self.k * D.laplacian(u) - self.reaction(u)

    def boundary(self, u, D, x, n):
        return self.on(u, D, x, n)


class LearningInTime(dtpinn.PDE):
    """The diffusivity of a nonlinear storage, with the rate inside a function."""

    def __init__(self):
        super().__init__()
        self.k = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))

    def residual(self, u, D, x, t):
        return D.time(lambda u, x, t: u + self.k * u**3) - self.k * D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return u * (1 + self.k * t)

    def initial(self, u, D, x):
        return u**2 - self.k


def cases(nodes):
    poisson = dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp)
    return {
        "nonlinear Poisson": (poisson, None),
        "space-time": (ReactionInTime(), TIMES),
        "second in time": (SecondInTime(), TIMES),
        "two fields": (Elasticity(), None),
        "two parts": (TwoParts(), None),
        "unknown coefficients": (Learning(), None),
        "unknown coefficients in several places": (Shared(), None),
        "unknown coefficients in time": (LearningInTime(), TIMES),
    }


NAMES = list(cases(None))


def make(name, nodes, **options):
    pde, times = cases(nodes)[name]
    problem = dtpinn.discretize(pde, nodes, 3, times=times, **options)
    inputs = 2 if times is None else 3
    dtype = options.get("dtype", torch.float64)
    return problem, dtpinn.MLP(inputs, width=6, depth=2, fields=pde.fields, seed=1, dtype=dtype)


def by_autograd(problem, model, parameters):
    """Weighted residuals and every row of their Jacobian by a backward pass of its own."""
    shares = {region.name: region.share for region in problem.regions}
    shares["initial"] = problem.nodes.count
    roots = {
        name: (torch.tensor(weight, dtype=problem.dtype) / shares[name]).sqrt()
        for name, weight in problem.weights.items()
    }
    residuals = problem.residuals(model)
    r = torch.cat([(r * roots[name]).reshape(-1) for name, r in residuals.items()])
    rows = [
        torch.autograd.grad(entry, parameters, retain_graph=True, materialize_grads=True)
        for entry in r
    ]
    return r.detach(), torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])


@pytest.fixture(scope="module")
def few(request):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.32)
    names = np.where(nodes.boundary[:, 0] < 0.1, "left", "right")
    return dtpinn.Nodes.from_points(nodes.interior, nodes.boundary, nodes.normals, parts=names)


@pytest.mark.parametrize("name", NAMES)
def test_the_jacobian_is_that_of_automatic_differentiation(name, few):
    problem, model = make(name, few)
    system = problem.least_squares(model)
    r, A = by_autograd(problem, model, system.parameters)
    assert torch.allclose(system.residual(), r, atol=1e-10)
    assert (system.jacobian() - A).abs().max() < 1e-10 * A.abs().max()
    rows = torch.tensor([0, 5, len(r) - 1, 3])
    assert (system.jacobian(rows) - A[rows]).abs().max() < 1e-10 * A.abs().max()
    assert sum(system.sizes) == len(r)
    assert len(system.sizes) == len(problem.residuals(model))


@pytest.mark.parametrize("name", NAMES)
def test_the_sum_of_squares_is_the_loss(name, few):
    problem, model = make(name, few)
    residual = problem.least_squares(model).residual()
    assert torch.allclose(residual.square().sum(), problem.loss(model).detach(), rtol=1e-12)


def test_the_jacobian_follows_the_parameters(few):
    problem, model = make("unknown coefficients", few)
    system = problem.least_squares(model)
    before = system.jacobian()
    with torch.no_grad():
        for parameter in system.parameters:
            parameter.mul_(1.3)
    _, A = by_autograd(problem, model, system.parameters)
    assert not torch.allclose(before, A)
    assert (system.jacobian() - A).abs().max() < 1e-10 * A.abs().max()


def test_the_jacobian_follows_data_that_are_replaced(few):
    """As torch.nn.utils does it, and Module.to()."""
    problem, model = make("nonlinear Poisson", few)
    system = problem.least_squares(model)
    system.jacobian()
    vector = nn.utils.parameters_to_vector(model.parameters())
    nn.utils.vector_to_parameters(1.5 * vector.detach(), model.parameters())
    r, A = by_autograd(problem, model, system.parameters)
    assert (system.jacobian() - A).abs().max() < 1e-10 * A.abs().max()
    problem.float()
    model.float()
    assert system.residual().dtype == torch.float32
    assert (system.residual() - r).abs().max() < 1e-4 * r.abs().max()
    assert (system.jacobian() - A).abs().max() < 1e-3 * A.abs().max()


def test_a_linear_equation_is_linearised_once(few):
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), few, 3)
    system = problem.least_squares(dtpinn.MLP(2, width=6, depth=2, seed=1))
    system.residual()
    first = system._matrix()
    with torch.no_grad():
        system.parameters[0].mul_(2.0)
    assert system._matrix() is first


def test_parameters_that_are_held_fixed_have_no_column(few):
    problem, model = make("unknown coefficients", few)
    whole = problem.least_squares(model).jacobian()
    model.layers[0].requires_grad_(False)
    problem.pde.wind.requires_grad_(False)
    system = problem.least_squares(model)
    assert len(system.parameters) == 4 + 2
    first = sum(p.numel() for p in model.layers[0].parameters())
    keep = [*range(first, whole.shape[1] - 4), whole.shape[1] - 4, whole.shape[1] - 1]
    names = [name for name, _ in problem.pde.named_parameters()]
    assert names == ["k", "wind", "on.beta"]
    assert torch.allclose(system.jacobian(), whole[:, keep], rtol=1e-12)


def test_scattered_nodes_change_nothing(rng, monkeypatch):
    """Products run along a curve there; the rows keep the order of the nodes."""
    monkeypatch.setattr(ordering, "FAR", 1)
    placed = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    order = rng.permutation(placed.interior_count)
    nodes = dtpinn.Nodes.from_points(placed.interior[order], placed.boundary, placed.normals)
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, 4)
    assert "curve" in str(problem.describe())
    model = dtpinn.MLP(2, width=4, depth=1, seed=0)
    system = problem.least_squares(model)
    r, A = system.residual(), system.jacobian()
    step = 1e-6
    with torch.no_grad():
        system.parameters[0][0, 0] += step
    slope = (system.residual() - r) / step
    assert (slope - A[:, 0]).abs().max() < 1e-4 * A[:, 0].abs().max()


def test_single_precision_is_a_choice(few):
    problem, model = make("nonlinear Poisson", few, dtype=torch.float32)
    twin, double = make("nonlinear Poisson", few)
    A = problem.least_squares(model).jacobian()
    wanted = twin.least_squares(double).jacobian()
    assert A.dtype == torch.float32
    assert (A.double() - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_a_network_in_an_equation_in_single_precision(few):
    """The linearisation is in double all the same, and leaves the network as it was."""

    class Reaction(dtpinn.PDE):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(1, 1, dtype=torch.float32)

        def residual(self, u, D, x):
            return D.laplacian(u) - self.net(u[:, None])[:, 0]

        def boundary(self, u, D, x, n):
            return u - 1.0

    problem = dtpinn.discretize(Reaction(), few, 3, dtype=torch.float32)
    model = dtpinn.MLP(2, width=6, depth=2, seed=1, dtype=torch.float32)
    held = problem.pde.net.weight
    before, storage = held.detach().clone(), held.data_ptr()
    system = problem.least_squares(model)
    _, A = by_autograd(problem, model, system.parameters)
    assert (system.jacobian() - A).abs().max() < 1e-3 * A.abs().max()
    assert problem.solve().dtype == torch.float64
    assert held.dtype == torch.float32
    assert held.data_ptr() == storage
    assert torch.equal(held, before)


# S J in all its ways


@pytest.mark.parametrize(
    ("fields", "time_order"),
    mostly_full(product([1, 2], [0, 1, 2]), {(1, 0), (2, 1), (1, 2)}.__contains__),
)
def test_every_way_to_multiply_is_the_same(fields, time_order, rng, monkeypatch):
    from scipy.sparse import random_array

    model = dtpinn.MLP(3, width=5, depth=2, fields=fields, seed=0)
    X = torch.rand(24, 3, dtype=torch.float64)
    features = fields * (1 + time_order)
    S = random_array((30, 24 * features), density=0.2, format="csr", rng=rng)
    parameters = dict(model.named_parameters())

    def product(way, memory=2.0**30):
        monkeypatch.setattr(model_jacobian, "_ENTRIES_A_VALUE", {"rows": 1e9, "points": 0}[way])
        jacobian = ModelJacobian(model, parameters, X, fields, time_order=time_order, memory=memory)
        return jacobian.product(S)

    wanted = product("points")
    assert torch.allclose(product("rows"), wanted, atol=1e-13)
    assert torch.allclose(product("points", memory=20_000.0), wanted, atol=1e-13)  # in blocks
    monkeypatch.setattr(model_jacobian, "_POINTS", 10)
    monkeypatch.setattr(model_jacobian, "_GRADIENT_BYTES", 1000.0)
    assert torch.allclose(product("rows"), wanted, atol=1e-13)
    assert torch.allclose(product("points"), wanted, atol=1e-13)


# Weights, and what cannot be


def test_weights_of_the_loss_are_honoured(few):
    class Weighted(type(make("nonlinear Poisson", few)[0])):
        def loss_parts(self, residuals):
            parts = super().loss_parts(residuals)
            heavier = torch.linspace(1, 2, len(residuals["boundary"]), dtype=torch.float64)
            share = len(heavier)
            parts["boundary"] = 100.0 * (heavier * residuals["boundary"].square()).sum() / share
            return parts

    problem, model = make("nonlinear Poisson", few)
    problem.__class__ = Weighted
    system = problem.least_squares(model)
    assert torch.allclose(system.residual().square().sum(), problem.loss(model).detach())
    gradient = torch.autograd.grad(problem.loss(model), system.parameters)
    ours = 2.0 * system.jacobian().T @ system.residual()
    assert torch.allclose(ours, torch.cat([g.flatten() for g in gradient]), rtol=1e-9)


def test_a_loss_that_is_no_sum_of_squares_is_told(few):
    class Robust(type(make("nonlinear Poisson", few)[0])):
        def loss_parts(self, residuals):
            return {name: r.abs().mean() for name, r in residuals.items()}

    problem, model = make("nonlinear Poisson", few)
    problem.__class__ = Robust
    with pytest.raises(ValueError, match="not a weighted sum of the squares"):
        problem.least_squares(model).residual()


class Centred(nn.Module):
    """Moves its points to their middle: the Jacobian of a point alone is another."""

    def __init__(self):
        super().__init__()
        self.net = dtpinn.MLP(2, width=3, depth=1, seed=0)

    def forward(self, x):
        return self.net(x - x.mean(0))


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3), nn.Dropout(0.5)])
def test_models_that_mix_points_or_draw_lots_are_told(layer, few):
    problem, _ = make("nonlinear Poisson", few)
    mixing = nn.Sequential(nn.Linear(2, 3), layer, nn.Linear(3, 1)).double()
    with pytest.raises(ValueError, match=r"each point by itself.*model\.eval\(\)"):
        problem.least_squares(mixing).jacobian()
    problem.least_squares(mixing.eval()).jacobian()
    with pytest.raises(ValueError, match="Centred has other values at the first 3 points alone"):
        problem.least_squares(Centred()).residual()


class Branching(dtpinn.MLP):
    def forward(self, x):
        return super().forward(x) if x.sum().item() > -1e9 else x[:, 0]


def test_models_that_cannot_be_differentiated_point_by_point_are_told(few):
    problem, _ = make("nonlinear Poisson", few)
    with pytest.raises(RuntimeError, match="point by point"):
        problem.least_squares(Branching(2, width=3, depth=1)).jacobian()
    with pytest.raises(TypeError, match=r"torch\.nn\.Module"):
        problem.least_squares(lambda x: x[:, 0])
