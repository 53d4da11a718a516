"""A linear equation's residuals as one product, and everything that is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.nodes import ordering
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem import DiscreteProblem
from dtpinn.problem.affine_residuals import affine_residuals
from tests.problem.equations import ReactionInTime, TwoParts


class Plate(dtpinn.PDE):
    """Two fields, two equations, mixed derivatives, coefficients that vary."""

    fields = 2
    stiffness = 1.5

    def residual(self, u, D, x):
        mixed = D.partial(u, 0, 1).flip(1)
        stretched = D.partial(lambda u, x: u * x[:, :1], 0)
        return D.laplacian(u) + self.stiffness * mixed + stretched - u.flip(1) - x

    def boundary(self, u, D, x, n):
        return D.normal(u) + (1 + x[:, :1] ** 2) * u - 1


class Linear(dtpinn.PDE):
    """``u_xx + u_yy - reaction(u) = 1``."""

    def __init__(self, reaction=lambda u: u):
        super().__init__()
        self.reaction = reaction

    def residual(self, u, D, x):
        return D.laplacian(u) - self.reaction(u) - 1

    def boundary(self, u, D, x, n):
        return D.normal(u) + u


def some_data(x=((0.1, 0.2), (-0.3, 0.4), (0.0, 0.0))):
    return dtpinn.Data(torch.tensor(x), torch.tensor([0.3, -0.1, 0.7]))


CASES = {
    "Poisson": (lambda: dtpinn.Poisson.from_solution(sine_cosine, alpha=0.5, beta=2.0), {}),
    "named parts": (TwoParts, {}),
    "two fields": (Plate, {}),
    "constraints": (
        lambda: dtpinn.Poisson(0.0, dtpinn.Neumann()),
        {"constraints": [dtpinn.Mean(1.0), dtpinn.Pin((0.1, 0.1), 2.0)]},
    ),
    "data": (Linear, {"data": [some_data()]}),
    "weights": (Plate, {"weights": {"pde": 3.0, "boundary": 0.1}}),
    "single precision": (Linear, {"dtype": torch.float32}),
}


@pytest.fixture(scope="module")
def few():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    names = np.where(nodes.boundary[:, 0] < 0.1, "left", "right")
    return dtpinn.Nodes.from_points(nodes.interior, nodes.boundary, nodes.normals, parts=names)


def make(nodes, pde, **options):
    problem = dtpinn.discretize(pde, nodes, 3, **options)
    dtype = options.get("dtype", torch.float64)
    return problem, dtpinn.MLP(2, width=6, depth=2, fields=pde.fields, seed=1, dtype=dtype)


def gradient(loss, model):
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradient_are_the_problems_own(case, few):
    pde, options = CASES[case]
    problem, model = make(few, pde(), **options)
    affine = affine_residuals(problem, model)
    ours, theirs = affine.loss(), problem.loss(model)
    # Sums of a few dozen terms in another order.
    tolerance = 1e-11 if problem.dtype == torch.float64 else 1e-4
    assert ours.item() == pytest.approx(theirs.item(), rel=tolerance)
    ours, theirs = gradient(ours, model), gradient(theirs, model)
    assert (ours - theirs).norm() < tolerance * theirs.norm()
    # The rows are those that Gauss-Newton knows, in their order.
    general = problem.least_squares(model).residual()
    assert (affine().detach() - general).norm() < tolerance * general.norm()


def test_nodes_in_any_order_are_multiplied_along_a_curve(monkeypatch):
    monkeypatch.setattr(ordering, "FAR", 1)
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    counts = nodes.interior_count, nodes.boundary_count
    inside, around = (np.random.default_rng(0).permutation(n) for n in counts)
    mixed = dtpinn.Nodes.from_points(
        nodes.interior[inside], nodes.boundary[around], nodes.normals[around]
    )
    problem, model = make(mixed, Plate())
    affine = affine_residuals(problem, model)
    assert not isinstance(affine._product, dtpinn.CSR)
    assert affine.loss().item() == pytest.approx(problem.loss(model).item(), rel=1e-11)


class Unlike(DiscreteProblem):
    """Residuals in somebody's own way."""

    def residuals(self, model):
        return {name: r.tanh() for name, r in super().residuals(model).items()}


class Robust(DiscreteProblem):
    def loss_parts(self, residuals):
        return {name: r.abs().mean() for name, r in residuals.items()}


def of_class(kind):
    def changed(problem):
        problem.__class__ = kind

    return changed


NOT_AFFINE = {
    "exponential": (lambda: Linear(torch.exp), None),
    "quadratic": (lambda: Linear(torch.square), None),
    "two pieces": (lambda: Linear(torch.relu), None),
    "a jump": (lambda: Linear(lambda u: (u > 0).to(u)), None),
    "points that are coupled": (lambda: Linear(lambda u: u - u.mean()), None),
    "an unknown coefficient": (
        lambda: dtpinn.Poisson(1.0, dtpinn.Dirichlet(), conductivity=nn.Parameter(torch.ones(()))),
        None,
    ),
    "residuals of another kind": (Linear, of_class(Unlike)),
    "a loss of another kind": (Linear, of_class(Robust)),
}


@pytest.mark.parametrize("case", NOT_AFFINE)
def test_what_is_not_affine_is_left_alone(case, few):
    pde, change = NOT_AFFINE[case]
    problem, model = make(few, pde())
    if change is not None:
        change(problem)
    assert affine_residuals(problem, model) is None


def test_neither_are_problems_in_time_and_vanilla_ones(few):
    times = torch.linspace(0.0, 0.6, 3)
    in_time = dtpinn.discretize(ReactionInTime(), few, 3, times=times)
    assert affine_residuals(in_time, dtpinn.MLP(3, width=3, depth=1)) is None
    assert affine_residuals(dtpinn.vanilla(Linear(), few), dtpinn.MLP(2, width=3, depth=1)) is None


def stiffer(problem):
    problem.pde.stiffness = 2.0


def nonlinear_by_now(problem):
    problem.posed.regions[0].function = lambda u, D, x: D.laplacian(u) - u**3


@pytest.mark.parametrize(
    "change",
    [
        stiffer,
        nonlinear_by_now,
        lambda problem: problem.set_weights("equal"),
        lambda problem: problem.to(torch.float32),
    ],
)
def test_it_no_longer_holds_when_something_has_changed(change, few):
    problem, model = make(few, Plate())
    affine = affine_residuals(problem, model)
    assert affine.holds()
    change(problem)
    model.to(problem.dtype)
    assert not affine.holds()
