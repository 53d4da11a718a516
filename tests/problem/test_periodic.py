"""Periodic problems: no boundary, hence no condition; real values, and networks of either kind."""

import math

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Disk, Interval, Rectangle
from dtpinn.pde import Dirichlet
from dtpinn.problem.trust import NotResolved
from tests.marks import mostly_full

TURN = 2 * math.pi
TORUS = Rectangle(periodic=True)


class Screened(dtpinn.PDE):
    """Lap u - 5 u = f, with no word of a boundary."""

    def residual(self, u, D, x):
        s, c = torch.sin(TURN * x), torch.cos(TURN * x)
        bend = TURN**2 * (c[:, 0] ** 2 - s[:, 0] - 1.0) - 5.0
        return D.laplacian(u) - 5.0 * u - bend * torch.exp(s[:, 0]) * c[:, 1]


def wave(x):
    return torch.exp(torch.sin(TURN * x[:, 0])) * torch.cos(TURN * x[:, 1])


class Waves(torch.nn.Module):
    """A network of sines and cosines, periodic whatever its weights."""

    def __init__(self, seed):
        super().__init__()
        self.net = dtpinn.MLP(4, width=16, depth=2, seed=seed)

    def forward(self, x):
        return self.net(torch.cat([torch.sin(TURN * x), torch.cos(TURN * x)], dim=1))


def relative(u, exact):
    return float((u - exact).norm() / exact.norm())


def screened(spacing, order=4, seed=0, lower=0.0):
    square = Rectangle((lower, lower), (lower + 1.0, lower + 1.0), periodic=True)
    nodes = dtpinn.place_nodes(square, spacing, seed=seed)
    return dtpinn.discretize(Screened(), nodes, order=order)


@pytest.mark.parametrize("order", mostly_full([2, 4], {4}.__contains__))
def test_an_equation_without_conditions_is_solved_at_its_order(order):
    def error(spacing):
        problems = [screened(spacing, order, seed) for seed in (0, 1)]
        return np.mean([relative(p.solve(), wave(p.points)) for p in problems])

    assert math.log2(error(0.06) / error(0.03)) > order - 1.2  # scattered nodes scatter


def test_the_solution_does_not_depend_on_where_the_seam_is():
    errors, values = [], []
    places = [[0.01, 0.4], [0.5, 0.995], [0.7, 0.2]]
    for lower in (0.0, 0.5, -0.25):
        problem = screened(0.035, lower=lower)
        u = problem.solve()
        errors.append(relative(u, wave(problem.points)))
        values.append(problem.interpolate(u, np.array(places) + 3.0))
    assert max(errors) < 3 * min(errors)
    exact = wave(torch.tensor(places, dtype=torch.float64))
    for value in values:
        torch.testing.assert_close(value, exact, rtol=0, atol=6 * max(errors))


def test_what_moves_along_a_circle_comes_back():
    class Advection(dtpinn.PDE):
        def residual(self, u, D, x, t):
            return D.time(u) + D.partial(u, 0)

        def initial(self, u, D, x):
            return u - torch.exp(torch.sin(TURN * x[:, 0]))

    def lost(spacing):
        nodes = dtpinn.place_nodes(Interval(0.0, 1.0, periodic=True), spacing)
        times = torch.linspace(0.0, 2.0, 9)
        problem = dtpinn.discretize(Advection(), nodes, order=4, times=times)
        u = problem.solve(time_tolerance=1e-4).reshape(-1, 9)
        return relative(u[:, -1], u[:, 0])

    assert lost(0.04) < 2e-3
    assert lost(0.02) < lost(0.04) / 2**3


@pytest.mark.parametrize("start", [0.0, 0.37])
def test_a_periodic_shock_is_that_of_cole_and_hopf_wherever_the_seam_is(start):
    class Burgers(dtpinn.PDE):
        def residual(self, u, D, x, t):
            return D.time(u) + u * D.partial(u, 0) - 0.1 * D.laplacian(u)

        def initial(self, u, D, x):
            return u - 0.5 * torch.sin(TURN * x[:, 0])

    nodes = dtpinn.place_nodes(Interval(start, start + 1.0, periodic=True), spacing=0.03)
    times = torch.linspace(0.0, 0.3, 3)
    problem = dtpinn.discretize(Burgers(), nodes, order=5, times=times)
    places = np.array([[0.1], [0.3], [0.99]])
    u = problem.solve(time_tolerance=1e-7)
    found = problem.interpolate(u, places).reshape(-1, 3)[:, -1]
    # u = <(x - y) / t>, with weights exp(-G / 2 nu), G = (x - y)^2 / 2 t + the integral of u_0.
    y = np.linspace(-4.0, 5.0, 20_001)
    way = places - y
    G = way**2 / 0.6 + (1.0 - np.cos(TURN * y)) / (2 * TURN)
    weight = np.exp(-G / 0.2)
    exact = (way / 0.3 * weight).sum(axis=1) / weight.sum(axis=1)
    np.testing.assert_allclose(found, exact, atol=2e-6)


def test_heat_decays_at_the_rate_of_its_wave():
    nodes = dtpinn.place_nodes(Rectangle(periodic=(True, False)), spacing=0.06)
    first = lambda x: torch.sin(TURN * x[:, 0]) * torch.sin(math.pi * x[:, 1])  # noqa: E731
    sides = {"bottom": Dirichlet(), "top": Dirichlet()}
    pde = dtpinn.Heat(None, sides, initial=first, diffusivity=0.1)
    problem = dtpinn.discretize(pde, nodes, order=4, times=torch.linspace(0.0, 0.2, 3))
    u = problem.solve(time_tolerance=1e-7).reshape(-1, 3)
    rate = math.log(float(u[:, 0].norm() / u[:, -1].norm())) / 0.2
    assert rate == pytest.approx(0.1 * 5 * math.pi**2, rel=1e-3)


class Conduction(dtpinn.PDE):
    """A potential of 0 on the left and of 1 on the right of insulating cylinders."""

    def residual(self, u, D, x):
        return D.laplacian(u)

    def conditions(self):
        ends = {"left": lambda u, D, x, n: u, "right": lambda u, D, x, n: u - 1.0}
        return ends | {"circle": lambda u, D, x, n: D.normal(u)}


def conductivity(domain):
    """Flux through a line between the cylinders, for a potential of 1 across a cell of sides 1."""
    nodes = dtpinn.place_nodes(domain, spacing=0.025)
    problem = dtpinn.discretize(Conduction(), nodes, order=5)
    line = np.column_stack([np.full(40, 0.05), np.arange(40) / 40])  # along which it is periodic
    on_x = nodes.with_ghosts_of(np.arange(0))
    slope = dtpinn.rbffd.operator(on_x, dtpinn.operators.partial(0), 5, at=line)
    return float((slope @ problem.solve()).mean())


@pytest.mark.parametrize("middle", mostly_full([0.0, 0.5, 0.3], {0.0}.__contains__))
def test_a_square_array_of_insulating_cylinders_conducts_as_rayleigh_found(middle):
    # Perrins, McKenzie & McPhedran, Proc. R. Soc. Lond. A 369 (1979) 207-225, equation (14), for
    # perfect conductors; of insulators it is the reciprocal (Keller 1964). Good to 1e-5 here.
    f = math.pi * 0.3**2
    lattice = 0.305827 * f**4 / (1 - 1.402958 * f**8) + 0.013362 * f**8
    known = 1 / (1 + 2 * f / (1 - f - lattice))
    array = Rectangle(periodic=(False, True)) - Disk(0.3, (0.5, middle))
    assert conductivity(array) == pytest.approx(known, rel=1e-3)


@pytest.mark.parametrize("middle", [0.0, 0.3])
def test_its_mean_flux_over_the_cell_is_the_same(middle):
    """The integral of du/dx, on nodes that are periodic around a hole across the seam."""
    array = Rectangle(periodic=(False, True)) - Disk(0.3, (0.5, middle))
    nodes = dtpinn.place_nodes(array, spacing=0.03)
    u = dtpinn.discretize(Conduction(), nodes, order=5).solve()
    on_x = nodes.with_ghosts_of(np.arange(0))
    slope = dtpinn.rbffd.operator(on_x, dtpinn.operators.partial(0), 5) @ u
    f = math.pi * 0.3**2
    lattice = 0.305827 * f**4 / (1 - 1.402958 * f**8) + 0.013362 * f**8
    found = dtpinn.rbffd.quadrature(nodes, 5).domain @ slope.numpy()
    assert found == pytest.approx(1 / (1 + 2 * f / (1 - f - lattice)), rel=1e-3)


def test_what_a_period_leaves_open_a_mean_or_an_integral_fixes():
    nodes = dtpinn.place_nodes(TORUS, spacing=0.06)
    wave = lambda x: torch.sin(TURN * x[:, 0]) * torch.cos(TURN * x[:, 1])  # noqa: E731
    pde = dtpinn.Poisson(lambda x: -2 * TURN**2 * wave(x))
    for constraint in (dtpinn.Mean(2.0), dtpinn.Integral(2.0)):
        problem = dtpinn.discretize(pde, nodes, order=5, constraints=[constraint])
        assert relative(problem.solve(), wave(problem.points) + 2.0) < 1e-3


def test_a_plain_network_and_one_of_waves_learn_a_periodic_solution_by_gauss_newton():
    problem = screened(0.1)
    floor = problem.solve()
    edges = torch.tensor([[0.0, 0.3], [1.0, 0.3], [0.3, 0.0], [0.3, 1.0]], dtype=torch.float64)
    for model in (dtpinn.MLP(2, width=14, depth=2, seed=0), Waves(0)):
        result = dtpinn.fit(model, problem, epochs=25, optimizer="gauss-newton")
        with torch.no_grad():
            left, right, bottom, top = result.model(edges).reshape(-1)
            learnt = result.model(problem.points).reshape(-1)
        assert relative(learnt, floor) < 3e-2
        assert max(abs(left - right), abs(bottom - top)) < 0.1  # of 2.7, and no node is there


def test_compare_agrees_on_a_periodic_model_only():
    problem = screened(0.04)
    agreed = problem.compare(Waves(0))
    assert [part.verdict for part in agreed.parts] == ["agrees"]
    assert not problem.compare(dtpinn.MLP(2, seed=0)).agrees


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_vanilla_network_is_held_together_at_the_seam(mode):
    nodes = dtpinn.place_nodes(TORUS, spacing=0.1)
    problem = dtpinn.vanilla(Screened(), nodes, mode=mode)
    assert problem.names == ["pde", "periodic.x", "periodic.y"]
    periodic = problem.residuals(Waves(0))
    assert max(float(periodic[f"periodic.{axis}"].detach().abs().max()) for axis in "xy") < 1e-12
    plane = problem.residuals(lambda x: 3.0 * x[:, 0] + x[:, 1] ** 2)
    x, y = plane["periodic.x"], plane["periodic.y"]
    torch.testing.assert_close(x, torch.tensor([[-3.0, 0.0]], dtype=x.dtype).expand_as(x))
    torch.testing.assert_close(y, torch.tensor([[-1.0, -2.0]], dtype=x.dtype).expand_as(y))
    assert 5 <= len(x) <= 20  # about one for each spacing


@pytest.mark.full
def test_a_plain_vanilla_network_learns_to_be_periodic():
    class Line(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u) - u + (1.0 + TURN**2) * torch.sin(TURN * x[:, 0] + 0.7)

    nodes = dtpinn.place_nodes(Interval(0.0, 1.0, periodic=True), spacing=0.04)
    model = dtpinn.MLP(1, width=12, depth=2, seed=0)
    result = dtpinn.fit(model, dtpinn.vanilla(Line(), nodes, mode="forward"), epochs=60)
    x = torch.linspace(0.0, 1.0, 50, dtype=torch.float64)[:, None]
    with torch.no_grad():
        assert relative(result.model(x).reshape(-1), torch.sin(TURN * x[:, 0] + 0.7)) < 2e-2


def test_what_a_period_leaves_open_is_told():
    nodes = dtpinn.place_nodes(TORUS, spacing=0.1)
    with pytest.raises(RuntimeError, match=r"singular.*a period in all directions does"):
        dtpinn.discretize(dtpinn.Poisson(lambda x: torch.sin(TURN * x[:, 0])), nodes).solve()
    disk = dtpinn.place_nodes(Disk(), spacing=0.2)
    with pytest.raises(ValueError, match="Poisson was given no boundary condition"):
        dtpinn.discretize(dtpinn.Poisson(None), disk)


def test_a_solution_that_is_not_resolved_at_the_seam_is_told():
    class Spike(dtpinn.PDE):
        def residual(self, u, D, x):
            away = torch.minimum(x[:, 0], 1.0 - x[:, 0])
            return D.laplacian(u) - 100.0 * u - torch.exp(-((away / 0.02) ** 2))

    nodes = dtpinn.place_nodes(TORUS, spacing=0.08)
    with pytest.warns(NotResolved, match="between the nodes"):
        dtpinn.discretize(Spike(), nodes, order=4).solve()


def test_a_picture_of_a_periodic_run_is_drawn(tmp_path):
    problem = screened(0.12)
    result = dtpinn.fit(dtpinn.MLP(2, width=8, depth=1, seed=0), problem, epochs=2)
    result.picture(tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 1000


def test_a_wave_goes_round_a_ring():
    """Each of d'Alembert's two waves is back after a round, and half of one way after half."""
    ring = dtpinn.place_nodes(Interval(0.0, 1.0, periodic=True), spacing=0.02)
    start = lambda x: torch.sin(TURN * x[:, 0])  # noqa: E731
    pde = dtpinn.Wave(None, initial=start, velocity=lambda x: -TURN * torch.cos(TURN * x[:, 0]))
    problem = dtpinn.discretize(pde, ring, order=6, times=[0.0, 0.25, 1.0])
    u = problem.solve(time_tolerance=1e-8)
    wanted = torch.sin(TURN * (problem.points[:, 0] - problem.points[:, 1]))
    assert relative(u, wanted) < 1e-5


class Own(dtpinn.PDE):
    """An equation of somebody's own, with a condition."""

    def residual(self, u, D, x):
        return D.laplacian(u) - u

    def boundary(self, u, D, x, n):
        return u


@pytest.mark.parametrize("make", [dtpinn.discretize, dtpinn.vanilla])
@pytest.mark.parametrize(
    "pde",
    [
        dtpinn.Poisson(1.0, Dirichlet()),
        dtpinn.Poisson(1.0, {"left": Dirichlet()}),
        dtpinn.Poisson.from_solution(wave, alpha=0.0),
        dtpinn.Stokes(1.0, Dirichlet(field=("u", "v"))),
        dtpinn.Complex(dtpinn.Helmholtz(None, Dirichlet(), wavenumber=1.0)),
        dtpinn.pde.Manufactured(Own(), wave),
        Own(),
    ],
    ids=lambda pde: type(pde).__name__,
)
def test_a_condition_that_was_given_for_no_boundary_is_refused(pde, make):
    nodes = dtpinn.place_nodes(TORUS, spacing=0.2)
    with pytest.raises(ValueError, match=r"the nodes have no boundary.*Leave it out"):
        make(pde, nodes)


@pytest.mark.parametrize(
    "pde",
    [
        dtpinn.Poisson(1.0),
        dtpinn.Poisson.from_solution(wave),
        dtpinn.Stokes.from_solution(lambda x: torch.sin(TURN * x[:, [1, 0, 0]]), viscosity=1.0),
        dtpinn.Complex(dtpinn.Helmholtz(None, wavenumber=1.0)),
        dtpinn.pde.Manufactured(Screened(), wave),
    ],
    ids=lambda pde: type(pde).__name__,
)
def test_a_condition_that_an_equation_has_by_default_is_not(pde):
    nodes = dtpinn.place_nodes(TORUS, spacing=0.2)
    assert dtpinn.discretize(pde, nodes, 2).names == ["pde"]
