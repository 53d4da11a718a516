"""Constraints: equations of the problem in every way of asking it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.problem.direct.border import Incompatible
from tests.marks import mostly_full

SQUARE = dtpinn.geometry.Rectangle()
HOLED = dtpinn.geometry.Rectangle((-1, -1), (1, 1)) - dtpinn.geometry.Disk(
    center=(0.2, 0.1), radius=0.4
)


def zero(x, *n):
    return torch.zeros_like(x[:, 0])


def smooth(x):
    return torch.cos(2 * x[:, 0]) * torch.exp(x[:, 1]) + x[:, 0] ** 3


def relative(u, exact):
    return float((u - exact).norm() / exact.norm())


@pytest.mark.parametrize("domain", [dtpinn.geometry.Disk(), SQUARE, HOLED], ids=str)
def test_pure_neumann_conditions_and_one_value_converge_at_the_order(domain):
    pde = dtpinn.Poisson.from_solution(smooth, alpha=1.0, beta=0.0)
    errors = []
    for spacing in (0.12, 0.06):
        nodes = dtpinn.place_nodes(domain, spacing=spacing)
        point = torch.tensor([[0.6, 0.7]], dtype=torch.float64)
        pin = dtpinn.Pin(point[0], float(smooth(point)))
        problem = dtpinn.discretize(pde, nodes, order=4, constraints=[pin])
        errors.append(relative(problem.solve(), smooth(problem.points)))
    assert errors[1] < min(1e-4, errors[0] / 8)


def test_a_rigid_body_under_tractions_alone_takes_three_constraints():
    """A stretched plate, u = (x, -nu y): exact on any nodes, once its motions are held."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.15)
    steel = dtpinn.pde.Young(1.0, 0.3, plane="stress")
    pull = dtpinn.Traction(steel, lambda x, n: n * n.new_tensor([1.0, 0.0]))
    pde = dtpinn.LinearElasticity(None, pull, material=steel)
    turn = dtpinn.Integral(0.0, of=lambda u, x: x[:, 0] * u[:, 1] - x[:, 1] * u[:, 0])
    held = [dtpinn.Mean(field=0), dtpinn.Mean(field=1), turn]
    problem = dtpinn.discretize(pde, nodes, constraints=held)
    assert problem.names[-3:] == ["mean", "mean.1", "integral"]
    u, x = problem.solve(), problem.points
    assert relative(u, x * x.new_tensor([1.0, -0.3])) < 1e-6
    with pytest.raises(RuntimeError, match="three in the plane"):
        dtpinn.discretize(pde, nodes, constraints=held[:2]).solve()


class Stokes(dtpinn.PDE):
    """With the equation of the pressure, whose condition is that of continuity: one is open."""

    fields = 3

    def residual(self, w, D, x):
        L, wx, wy = D.laplacian(w), D.partial(w, 0), D.partial(w, 1)
        e, s = exact_flow(x), x.sum(dim=1)
        return torch.stack(
            [
                wx[:, 2] - L[:, 0] - 2 * e[:, 0] - s.cos(),
                wy[:, 2] - L[:, 1] - 2 * e[:, 1] - s.cos(),
                L[:, 2] + 2 * s.sin(),
            ],
            dim=1,
        )

    def boundary(self, w, D, x, n):
        e, wx, wy = exact_flow(x), D.partial(w, 0), D.partial(w, 1)
        return torch.stack([w[:, 0] - e[:, 0], w[:, 1] - e[:, 1], wx[:, 0] + wy[:, 1]], dim=1)


def exact_flow(x):
    a, b = x.T
    return torch.stack([a.sin() * b.cos(), -a.cos() * b.sin(), (a + b).sin()], dim=1)


def test_a_pressure_has_its_mean():
    nodes = dtpinn.place_nodes(SQUARE, spacing=0.1)
    # of sin(a + b) over the square: sin(1) (1 - cos(1)) twice
    mean = 2 * np.sin(1.0) - np.sin(2.0)
    problem = dtpinn.discretize(Stokes(), nodes, constraints=[dtpinn.Mean(mean, field=2)])
    u, exact = problem.solve(), exact_flow(problem.points)
    assert relative(u[:, :2], exact[:, :2]) < 1e-5
    assert relative(u[:, 2], exact[:, 2]) < 1e-3


def test_data_that_no_solution_fits_are_told_of():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.15)
    pde = dtpinn.Poisson(lambda x: 1.0 + zero(x), dtpinn.Neumann(zero))
    problem = dtpinn.discretize(pde, nodes, constraints=[dtpinn.Mean()])
    with (
        pytest.warns(Incompatible, match="100%|1e\\+02%"),
        pytest.warns(dtpinn.problem.NotResolved),
    ):
        problem.solve()


def test_a_constraint_beyond_the_conditions_is_refused_by_solve_and_kept_by_the_loss():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    pde = dtpinn.Poisson(zero, dtpinn.Dirichlet(zero))
    problem = dtpinn.discretize(pde, nodes, constraints=[dtpinn.Mean(0.5)])
    with pytest.raises(ValueError, match=r"1 constraint\(s\), mean, are too many"):
        problem.solve()
    r = problem.residuals(lambda x: zero(x))["mean"]
    assert torch.allclose(r, torch.tensor([-0.5], dtype=torch.float64))


def test_both_kinds_of_derivative_have_the_same_constraints():
    nodes = dtpinn.place_nodes(SQUARE, spacing=0.1)
    pde = dtpinn.Poisson.from_solution(smooth, alpha=1.0, beta=0.0)
    asked = [
        dtpinn.Mean(0.1),
        dtpinn.Pin((0.3, 0.3), 0.2),
        dtpinn.Flux("top", 1.0, conductivity=lambda x: 1.0 + x[:, 0]),
        dtpinn.Integral(0.5, of=lambda u, D, x: D.laplacian(u) * u),
    ]
    # Of exp(y) on top: e times the integral of 1 + x.
    flux = dtpinn.discretize(pde, nodes, constraints=asked).residuals(lambda x: x[:, 1].exp())
    assert float(flux["flux.top"]) == pytest.approx(1.5 * np.e - 1.0, rel=1e-4)
    model = dtpinn.MLP(2, width=20, depth=2, seed=1)
    ours, *others = (
        make(pde, nodes, constraints=asked, **how).residuals(model)
        for make, how in (
            (dtpinn.discretize, {}), (dtpinn.vanilla, {}), (dtpinn.vanilla, {"mode": "forward"}),
        )
    )  # fmt: skip
    for theirs in others:
        for name in ("mean", "pin", "flux.top", "integral"):
            assert torch.allclose(ours[name], theirs[name], atol=1e-4)
    problem = dtpinn.discretize(pde, nodes, constraints=asked)
    assert problem.compare(model).agrees
    assert "flux.top" in str(problem.describe())
    assert (
        problem.to(torch.float32).residuals(model.to(torch.float32))["mean"].dtype == torch.float32
    )


@pytest.mark.parametrize(
    "optimizer", mostly_full(["lbfgs", "gauss-newton"], {"gauss-newton"}.__contains__)
)
def test_training_has_them(optimizer):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2, alpha=1.0, beta=0.0)
    problem = dtpinn.discretize(pde, nodes, constraints=[dtpinn.Mean(0.25)])
    model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    dtpinn.fit(
        model, problem, epochs={"lbfgs": 20, "gauss-newton": 40}[optimizer], optimizer=optimizer
    )
    assert relative(model(problem.points).detach().flatten(), problem.points[:, 0] ** 2) < 0.05


class Slow(dtpinn.PDE):
    """So slow that it is steady at every time: the constant is open at each."""

    def residual(self, u, D, x, t):
        return D.laplacian(u) - 2 * t.cos()

    def boundary(self, u, D, x, n, t):
        return D.normal(u) - 2 * t.cos() * x[:, 0] ** 2

    def initial(self, u, D, x):
        return u - x[:, 0] ** 2


def test_in_time_it_holds_at_every_slice():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    mean = dtpinn.Mean(lambda t: 0.25 * t.cos())
    problem = dtpinn.discretize(Slow(), nodes, times=torch.linspace(0, 1, 4), constraints=[mean])
    x, t = problem.points[:, 0], problem.points[:, 2]
    assert relative(problem.solve(), t.cos() * x**2) < 1e-4
    assert problem.residuals(lambda z: z[:, 2].cos() * z[:, 0] ** 2)["mean"].abs().max() < 1e-4


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (dtpinn.Mean(field=1), "has 1 field"),
        (dtpinn.Flux("left", 1.0), "no boundary part 'left'"),
        (dtpinn.Pin((1.0,)), "2 coordinate"),
        (dtpinn.Pin((5.0, 0.0)), "within the cloud"),
        (dtpinn.Integral(0.0, of=lambda u, x: x), "one value per point"),
        (dtpinn.Mean(lambda t: t), "needs times="),
        (3.0, "expected dtpinn.Mean"),
    ],
)
def test_what_cannot_hold_is_refused_at_the_door(constraint, message):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    with pytest.raises((TypeError, ValueError), match=message):
        dtpinn.discretize(
            dtpinn.Poisson(zero, dtpinn.Neumann(zero)), nodes, 2, constraints=[constraint]
        )


def test_a_constraint_that_a_direct_solve_leaves_to_training_is_told():
    """With a coefficient to be found the conditions determine u, and the flux is what it is."""

    class Ring(dtpinn.PDE):
        def __init__(self):
            super().__init__()
            self.c = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

        def residual(self, u, D, x):
            return D.laplacian(u)

        def conditions(self):
            return {"inner": lambda u, D, x, n: u - self.c, "outer": lambda u, D, x, n: u}

    nodes = dtpinn.place_nodes(dtpinn.geometry.Annulus(0.4, 1.0), spacing=0.2)
    flux = dtpinn.Flux("inner", 3.0)
    problem = dtpinn.discretize(Ring(), nodes, order=2, constraints=[flux])
    with pytest.warns(dtpinn.problem.NotResolved, match=r"'flux.inner' are not fulfilled"):
        problem.solve()
