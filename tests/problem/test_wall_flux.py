"""Fluxes through whole walls against closed forms: rings, pipes, spheres, Couette's torque."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn import Dirichlet, Flux
from dtpinn.geometry import Annulus, Ball, Disk, Rectangle
from tests.marks import mostly_full

INNER, OUTER = 0.4, 1.0
RING = Annulus(INNER, OUTER)
HEATED = {"inner": Dirichlet(1.0), "outer": Dirichlet(0.0)}


def ring(spacing, seed=0):
    return dtpinn.place_nodes(RING, spacing=spacing, seed=seed)


@pytest.mark.parametrize("seed", mostly_full([0, 1, 2], {0}.__contains__))
@pytest.mark.parametrize(("order", "allowed"), [(3, 2e-3), (4, 1e-3)])
def test_heat_through_a_ring_is_the_logarithms(order, allowed, seed):
    """Derivatives at the inner wall, which is 8 spacings in radius, miss 1.2% at order 4."""
    problem = dtpinn.discretize(dtpinn.Poisson(None, HEATED), ring(0.05, seed), order)
    u, exact = problem.solve(), 2 * math.pi / math.log(OUTER / INNER)
    assert float(problem.measure(u, Flux("inner"))) == pytest.approx(exact, rel=allowed)
    assert float(problem.measure(u, Flux("outer"))) == pytest.approx(-exact, rel=allowed)


def test_what_enters_and_what_leaves_differ_by_the_source():
    problem = dtpinn.discretize(dtpinn.Poisson(lambda x: x[:, 0] ** 2, HEATED), ring(0.1))
    u = problem.solve()
    source = math.pi / 4 * (OUTER**4 - INNER**4)
    total = problem.measure(u, Flux("inner")) + problem.measure(u, Flux("outer"))
    assert float(total) == pytest.approx(source, rel=1e-3)


def test_a_conductivity_that_varies_is_in_the_flux():
    """k = r^2: u' = c / r^3, and 1 degree drives 2 pi / integral of r^-3."""
    k = lambda x: x.square().sum(1)  # noqa: E731
    problem = dtpinn.discretize(dtpinn.Poisson(None, HEATED, conductivity=k), ring(0.05))
    u, exact = problem.solve(), 4 * math.pi / (INNER**-2 - OUTER**-2)
    assert float(problem.measure(u, Flux("inner", conductivity=k))) == pytest.approx(
        exact, rel=3e-3
    )
    assert float(problem.measure(u, Flux("outer", conductivity=k))) == pytest.approx(
        -exact, rel=3e-3
    )


@pytest.mark.parametrize("periodic", mostly_full([False, True], {True}.__contains__))
def test_a_source_in_a_hole_gives_off_what_it_has(periodic):
    """log r around a hole, and for periodic nodes the balance of a row of holes with its source."""
    hole = Disk(0.2, center=(0.1, 0.05))
    around = Rectangle((-0.5, -0.5), (0.5, 0.5), periodic=periodic) - hole
    nodes = dtpinn.place_nodes(around, spacing=0.025)
    part = next(name for name in nodes.parts if name not in ("left", "right", "bottom", "top"))
    if periodic:
        problem = dtpinn.discretize(dtpinn.Poisson(-1.0, Dirichlet(0.0)), nodes)
        exact = -(1 - math.pi * 0.2**2)
    else:
        place = torch.tensor([0.1, 0.05], dtype=torch.float64)
        logarithm = lambda x: (x - place).norm(dim=1).log()  # noqa: E731
        pde = dtpinn.Poisson.from_solution(logarithm, alpha=0.0, beta=1.0)
        problem, exact = dtpinn.discretize(pde, nodes), -2 * math.pi
    found = float(problem.measure(problem.solve(), Flux(part)))
    assert found == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize(
    ("spacing", "allowed"), mostly_full([(0.1, 2e-2), (0.05, 1e-3)], lambda case: case[0] > 0.05)
)
def test_the_torque_of_couettes_flow(spacing, allowed):
    """4 pi mu w a^2 b^2 / (b^2 - a^2) on either cylinder, for the inner one that turns."""
    mu, velocity = 2.0, ("u", "v")

    def turning(x, n):
        return torch.stack([-x[:, 1], x[:, 0]], dim=1)

    def moment(u, D, x):
        G = D.gradient(u)[:, :2]
        stress = mu * (G + G.transpose(1, 2)) - u[:, 2, None, None] * torch.eye(2).to(u)
        return torch.einsum("ni,nij->nj", turning(x, x), stress)

    walls = {"inner": Dirichlet(turning, field=velocity), "outer": Dirichlet(0.0, field=velocity)}
    pde = dtpinn.Stokes(mu, walls)
    problem = dtpinn.discretize(pde, ring(spacing), constraints=[dtpinn.Mean(field="p")])
    u, exact = problem.solve(), 4 * math.pi * mu / (INNER**-2 - OUTER**-2)
    for part, sign in (("inner", 1), ("outer", -1)):
        found = float(problem.measure(u, Flux(part, of=moment)))
        assert found == pytest.approx(sign * exact, rel=allowed)


@pytest.mark.full
def test_a_flux_out_of_a_ball():
    """1 / r between spheres: 4 pi; a derivative at the inner one is wrong by a third."""
    nodes = dtpinn.place_nodes(Ball(OUTER) - Ball(INNER), spacing=0.14)
    pde = dtpinn.Poisson.from_solution(lambda x: 1 / x.norm(dim=1), alpha=0.0, beta=1.0)
    problem = dtpinn.discretize(pde, nodes, order=3)
    u = problem.solve()
    found = sorted(float(problem.measure(u, Flux(part))) for part in nodes.parts)
    assert found == pytest.approx([-4 * math.pi, 4 * math.pi], rel=0.03)


class Unknown(dtpinn.PDE):
    """A ring whose inner wall has a temperature that is not known."""

    def __init__(self):
        super().__init__()
        self.c = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def residual(self, u, D, x):
        return D.laplacian(u)

    def conditions(self):
        return {"inner": lambda u, D, x, n: u - self.c, "outer": lambda u, D, x, n: u}


@pytest.mark.full
def test_training_finds_the_temperature_that_a_flux_takes():
    pde, given = Unknown(), 3.0
    problem = dtpinn.discretize(pde, ring(0.1), constraints=[Flux("inner", given)])
    model = dtpinn.MLP(2, width=20, depth=2, seed=0)
    dtpinn.fit(model, problem, epochs=40, optimizer="gauss-newton")
    exact = given * math.log(OUTER / INNER) / (2 * math.pi)
    assert pde.c.item() == pytest.approx(exact, rel=1e-2)


def test_it_is_a_row_of_the_system_and_the_same_by_automatic_differentiation():
    flux, model = Flux("inner", 2.0), dtpinn.MLP(2, width=20, depth=2, seed=1)
    nodes = ring(0.07)
    problem = dtpinn.discretize(dtpinn.Poisson(None, HEATED), nodes, constraints=[flux])
    r = problem.residuals(model)["flux.inner"].item()
    assert r == pytest.approx(float(problem.measure(model, flux)) - 2.0, abs=1e-12)
    vanilla = dtpinn.vanilla(dtpinn.Poisson(None, HEATED), nodes, constraints=[flux])
    assert r == pytest.approx(vanilla.residuals(model)["flux.inner"].item(), abs=2e-3)
    assert problem.compare(model).agrees
    at = problem.linearize(problem.evaluate(model, problem.inputs()).detach().numpy())
    u = problem.evaluate(model, problem.inputs()).detach().numpy()
    assert float((at.jacobians["flux.inner"] @ u)[0]) - 2.0 == pytest.approx(r, abs=1e-12)
    # Its weight is that of derivatives along the wall, however it is written.
    assert problem.weights["flux.inner"] == pytest.approx(vanilla.weights["flux.inner"])


def test_figures_of_values_are_those_of_any_constraint():
    nodes = dtpinn.place_nodes(Rectangle(), spacing=0.1)
    pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2 * x[:, 1])
    problem = dtpinn.discretize(pde, nodes)
    u = problem.solve()
    for what, exact in (
        (dtpinn.Mean(), 1 / 6), (dtpinn.Pin((0.3, 0.7)), 0.063), (Flux("right"), 1.0),
        (dtpinn.Integral(0.0, of=lambda u, x: u**2), 1 / 15),
    ):  # fmt: skip
        assert float(problem.measure(u, what)) == pytest.approx(exact, abs=1e-3)
        values = u.as_subclass(torch.Tensor)  # without what the solution knows of the ghosts
        assert float(problem.measure(values, what)) == pytest.approx(exact, abs=1e-3)


def test_a_figure_of_a_solution_in_time_is_one_for_each_slice():
    pde = dtpinn.Heat.from_solution(lambda x, t: torch.exp(-t) * x[:, 0] ** 2)
    nodes, times = dtpinn.place_nodes(Disk(), spacing=0.2), torch.linspace(0, 1, 4)
    problem = dtpinn.discretize(pde, nodes, times=times)
    found = problem.measure(problem.solve(), dtpinn.Mean())
    assert np.allclose(found, 0.25 * np.exp(-times.numpy()), rtol=1e-3)
    with pytest.raises(ValueError, match=r"leave D\.time out"):
        problem.measure(problem.solve(), dtpinn.Integral(0.0, of=lambda u, D, x, t: D.time(u)))


def test_a_density_that_is_no_vector_field_is_refused():
    problem = dtpinn.discretize(dtpinn.Poisson(None, HEATED), ring(0.2), order=2)
    u = torch.zeros(problem.nodes.count)
    with pytest.raises(ValueError, match=r"of\(u, D, x\) must return a vector"):
        problem.measure(u, Flux("inner", of=lambda u, D, x: D.laplacian(u)))
