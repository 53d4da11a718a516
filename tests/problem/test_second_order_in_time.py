"""Strings, drums, telegraphs and pulses, against series, tables and formulas that are not ours."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Interval
from dtpinn.pde.exact import initial_rate
from dtpinn.pde.row_gradients import rates
from dtpinn.problem import integrate
from dtpinn.problem.direct.stepping import Stepper
from tests.marks import mostly_full

LINE = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.025)
COARSE = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.05)
TIMES = torch.linspace(0.0, 2.0, 6, dtype=torch.float64)


class Swinging(dtpinn.PDE):
    """u_tt = force(u, u_t, D, x, t) with u = start and u_t = rate(x) at first."""

    def __init__(self, force, start, rate, boundary=None):
        super().__init__()
        self.force, self.start, self.rate, self.edge = force, start, rate, boundary

    def residual(self, u, D, x, t):
        return D.time(u, 2) - self.force(u, D, x, t)

    def boundary(self, u, D, x, n, t):
        return D.normal(u) if self.edge is None else self.edge(u, D, x, n, t)

    def initial(self, u, D, x):
        return torch.stack([u - self.start(x), D.time(u) - self.rate(x)], dim=1)


def nothing(x):
    return torch.zeros_like(x[:, 0])


def one(x):
    return torch.ones_like(x[:, 0])


def error_of(pde, exact, nodes=LINE, order=4, times=TIMES, **options):
    problem = dtpinn.discretize(pde, nodes, order, times=times)
    u, points = problem.solve(**{"time_tolerance": 1e-8, **options}), problem.points
    wanted = exact(points[:, :-1], points[:, -1])
    return float((u - wanted).norm() / wanted.norm())


def sines(x, t, coefficients, swing):
    n = torch.arange(1, len(coefficients) + 1, dtype=torch.float64) * math.pi
    return (torch.sin(x * n) * swing(t[:, None] * n)) @ coefficients


def test_a_struck_string_is_its_fourier_series():
    """u_t = x (1 - x) at the start: sum over odd n of 8 / (n pi)^4 sin(n pi x) sin(n pi t)."""
    n = torch.arange(1, 400, dtype=torch.float64)
    series = torch.where(n % 2 == 1, 8 / (n * math.pi) ** 4, 0.0)
    pde = dtpinn.Wave(None, dtpinn.Dirichlet(), velocity=lambda x: x[:, 0] * (1 - x[:, 0]))
    times = torch.tensor([0.0, 0.3, 0.7, 1.6], dtype=torch.float64)
    exact = lambda x, t: sines(x, t, series, torch.sin)  # noqa: E731
    coarse, fine = (error_of(pde, exact, nodes, times=times) for nodes in (COARSE, LINE))
    # The second derivative of u jumps where the kink of v_0's odd continuation has come to.
    assert fine < 2e-4
    assert fine < 0.35 * coarse


@pytest.mark.full
def test_a_plucked_string_is_its_fourier_series():
    """With a corner at 0.3, which nothing resolves, but travels: first order at best."""
    at = 0.3
    n = torch.arange(1, 2000, dtype=torch.float64)
    series = 2 * torch.sin(n * math.pi * at) / ((n * math.pi) ** 2 * at * (1 - at))
    shape = lambda x: torch.minimum(x[:, 0] / at, (1 - x[:, 0]) / (1 - at))  # noqa: E731
    pde = dtpinn.Wave(None, dtpinn.Dirichlet(), initial=shape)
    exact = lambda x, t: sines(x, t, series, torch.cos)  # noqa: E731
    times = torch.tensor([0.0, 0.5, 1.2], dtype=torch.float64)
    assert error_of(pde, exact, times=times, time_tolerance=1e-6) < 1e-2


def test_a_string_of_varying_mass_swings_at_its_own_frequency():
    """(1 + x)^2 u'' = -omega^2 u: u = (1 + x)^(1/2) sin(k log(1 + x)), omega^2 = k^2 + 1/4."""
    k = np.pi / np.log(2.0)

    def mode(x):
        return (1 + x[:, 0]).sqrt() * torch.sin(k * torch.log(1 + x[:, 0]))

    string = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.04)
    half = np.pi / np.sqrt(k**2 + 0.25)
    pde = dtpinn.Wave(None, dtpinn.Dirichlet(), mode, speed=lambda x: 1 + x[:, 0])
    u = dtpinn.discretize(pde, string, order=5, times=[0.0, half]).solve(time_tolerance=1e-7)
    assert u.relative_error(lambda p: mode(p) * torch.cos(np.pi / half * p[:, 1])) < 1e-4


@pytest.mark.parametrize("damping", mostly_full([0.0, 0.8], {0.8}.__contains__))
def test_the_telegraph_has_its_dispersion(damping):
    """u_tt + 2 damping u_t + m^2 u = u_xx: omega^2 = k^2 + m^2 - damping^2."""
    k, mass = 2 * math.pi, 3.0
    omega = math.sqrt(k**2 + mass**2 - damping**2)

    def exact(x, t):
        swing = torch.cos(omega * t) + damping / omega * torch.sin(omega * t)
        return torch.cos(k * x[:, 0]) * torch.exp(-damping * t) * swing

    force = lambda u, D, x, t: D.laplacian(u) - mass**2 * u - 2 * damping * D.time(u)  # noqa: E731
    pde = Swinging(force, lambda x: exact(x, nothing(x)), nothing)
    coarse, fine = (error_of(pde, exact, nodes) for nodes in (COARSE, LINE))
    assert coarse / fine > 2**3.3
    assert fine < 2e-4


@pytest.mark.full
def test_a_pulse_leaves_through_an_absorbing_end():
    """It moves to the right from the start, by a derivative in space, and all of it goes out."""
    pulse = lambda s: torch.exp(-(((s - 0.3) / 0.1) ** 2))  # noqa: E731

    class Leaving(Swinging):
        def initial(self, u, D, x):
            return torch.stack([u - pulse(x[:, 0]), D.time(u) + D.partial(u, 0)], dim=1)

    pde = Leaving(
        lambda u, D, x, t: D.laplacian(u), None, None, lambda u, D, x, n, t: D.normal(u) + D.time(u)
    )
    line = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.0175)
    problem = dtpinn.discretize(pde, line, order=6, times=[0.0, 0.2, 0.7, 1.5])
    u = problem.solve(time_tolerance=1e-7)
    points = problem.points
    wanted = pulse(points[:, 0] - points[:, 1])
    assert (u - wanted).abs().max() < 2e-3
    assert u.reshape(-1, 4)[:, -1].abs().max() < 1e-3


def test_a_kink_of_sine_gordon_keeps_its_shape():
    """u_tt = u_xx - sin(u), nonlinear, with data at the ends that vary in time."""
    speed = 0.5
    kink = lambda x, t: (  # noqa: E731
        4 * torch.atan(torch.exp((8 * (x[:, 0] - 0.4) - speed * t) / math.sqrt(1 - speed**2)))
    )
    rate = initial_rate(kink, 0.0)
    pde = Swinging(
        lambda u, D, x, t: D.laplacian(u) / 64 - torch.sin(u),
        lambda x: kink(x, nothing(x)), rate,
        lambda u, D, x, n, t: u - kink(x, t),
    )  # fmt: skip
    coarse, fine = (error_of(pde, kink, nodes, order=3) for nodes in (COARSE, LINE))
    assert coarse / fine > 2**1.9
    assert fine < 5e-4


# What time does alone, at every node by itself.

NODES = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.2)
ALONE = {
    "an oscillator": (lambda u, D, x, t: -49 * u, one, nothing, lambda x, t: torch.cos(7 * t)),
    "free flight": (lambda u, D, x, t: torch.exp(-t), one, one, lambda x, t: torch.exp(-t) + 2 * t),
    "Duffing, by an energy": (
        lambda u, D, x, t: 2 * u**3, one, one, lambda x, t: 1 / (1 - t)
    ),
    "the second rate of a square": (  # (u^2)_tt = 2
        lambda u, D, x, t: D.time(u, 2) - D.time(lambda u, x, t: u**2, 2) + 2,
        one, nothing, lambda x, t: torch.sqrt(1 + t**2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("tolerance", mostly_full([1e-5, 1e-9], {1e-5}.__contains__))
@pytest.mark.parametrize("name", ALONE)
def test_the_error_in_time_is_what_was_asked_for_and_what_is_told(name, tolerance):
    force, start, rate, exact = ALONE[name]
    times = torch.linspace(0.0, 0.8, 5, dtype=torch.float64)
    problem = dtpinn.discretize(Swinging(force, start, rate), NODES, 2, times=times)
    told = integrate(problem, time_tolerance=tolerance)
    x, t = problem.points.T
    wanted = exact(x[:, None], t)
    assert (told.values - wanted).norm() <= told.time_error * wanted.norm()
    assert told.time_error <= len(times) * tolerance
    for found, order in zip(told.final_rates, (1, 2), strict=True):
        last = t[-1:].clone().requires_grad_()
        slope = rates(exact(last[:, None], last), last, order)
        assert np.allclose(found, float(slope.detach()), rtol=1e-2, atol=1e-2)


def test_steps_are_of_order_nine():
    problem = dtpinn.discretize(Swinging(*ALONE["an oscillator"][:3]), NODES, 2, times=[0.0, 1.0])
    stepper = Stepper(problem.system, 1e-13)
    u = stepper.system.restrict(np.ones(len(problem.nodes.extended)))
    ends = [stepper.march(np.array([u, 0 * u]), 0.0, 1.0, count)[:, 0] for count in (3, 6)]
    wanted = np.array([math.cos(7.0), -7 * math.sin(7.0)])
    assert (np.log2(np.abs(ends[0] - wanted) / np.abs(ends[1] - wanted)) > 8.3).all()


# What must be said, and by whom


class Silent(Swinging):
    def initial(self, u, D, x):
        return u - self.start(x)


@pytest.mark.parametrize("make", [dtpinn.discretize, dtpinn.vanilla])
def test_a_velocity_that_nobody_gives_is_asked_for(make):
    pde = Silent(lambda u, D, x, t: D.laplacian(u), one, None)
    with pytest.warns(UserWarning, match=r"Silent.initial\(\) says nothing of the rate"):
        problem = make(pde, LINE, times=[0.0, 1.0])
    if make is dtpinn.discretize:
        told = r"the rate of the field\(s\) u, .*torch.stack\(\[u - u_0\(x\), D.time\(u\)"
        with pytest.raises(ValueError, match=told):
            problem.solve()


class Early(Swinging):
    def initial(self, u, x):
        return u


def test_an_initial_condition_without_derivatives_is_told_what_to_write():
    early = Early(lambda u, D, x, t: D.laplacian(u), one, nothing)
    with pytest.raises(TypeError, match=r"initial\(u, x\).*def initial\(self, u, D, x\): \.\.\."):
        dtpinn.discretize(early, NODES, times=[0.0, 1.0])

    class Late(Swinging):
        def initial(self, u, D, x):
            return D.time(u, 2)

    with pytest.raises(ValueError, match=r"D.time\(u, 2\) in initial\(\): the second rate follows"):
        dtpinn.discretize(Late(early.force, one, nothing), NODES, times=[0.0, 1.0])


@pytest.mark.full
def test_a_wave_is_estimated_compared_and_trained():
    """sin(pi x) cos(pi t), by Gauss-Newton."""
    exact = lambda x, t: torch.sin(math.pi * x[:, 0]) * torch.cos(math.pi * t)  # noqa: E731
    pde = dtpinn.Wave.from_solution(exact, boundary=dtpinn.Dirichlet())
    nodes = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.1)
    problem = dtpinn.discretize(pde, nodes, order=4, times=torch.linspace(0, 1, 11))
    solution = dtpinn.pde.in_space_time(exact)
    assert problem.compare(solution).agrees
    assert problem.estimate(solution).total < 1e-3
    model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    result = dtpinn.fit(model, problem, epochs=60, optimizer="gauss-newton")
    assert result.relative_error(solution) < 1e-3  # the discrete solution is 1.2e-4 away


class Beam(dtpinn.PDE):
    """u_tt + u_xxxx = 0 between hinges, by its moment: sin(pi x) swings at pi^2."""

    fields = 2

    def residual(self, u, D, x, t):
        second = D.laplacian(u)
        return torch.stack([D.time(u, 2)[:, 0] + second[:, 1], second[:, 0] - u[:, 1]], dim=1)

    def boundary(self, u, D, x, n, t):
        return u

    def initial(self, u, D, x):
        return torch.stack([u[:, 0] - torch.sin(math.pi * x[:, 0]), D.time(u)[:, 0]], dim=1)


def beam(spacing):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=spacing)
    return dtpinn.discretize(Beam(), nodes, times=torch.linspace(0.0, 0.08, 2))


@pytest.mark.full
def test_the_waves_of_the_nodes_are_resolved_where_the_steps_suffice():
    """With 128 steps nothing is gained yet beside 4, with 512 everything: they do not die out."""
    problem = beam(0.05)
    told = dtpinn.problem.integrate(problem, time_tolerance=1e-9)
    exact = torch.sin(math.pi * problem.points[:, 0]) * torch.cos(math.pi**2 * problem.points[:, 1])
    assert (told.values[:, 0] - exact).norm() < 1e-4 * exact.norm()
    assert told.time_error < 1e-9


@pytest.mark.full
def test_where_they_do_not_the_attainable_tolerance_is_told_and_attained():
    problem = beam(0.0125)
    with pytest.raises(RuntimeError, match=r"shortest waves of the nodes") as raised:
        problem.solve(time_tolerance=1e-13)
    attainable = float(re.search(r"time_tolerance=(\S+) here", str(raised.value))[1])
    assert attainable < 1e-6
    problem.solve(time_tolerance=attainable)
