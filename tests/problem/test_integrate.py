"""The semi-discrete solution of a space-time problem: the floor under its training."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.problem import integrate
from dtpinn.problem.direct.initial_values import initial_values
from dtpinn.problem.direct.stepping import Stepper
from tests.marks import mostly_full
from tests.problem.evolutions import Diffusion, SplitHeat, wave

TIMES = torch.linspace(0.0, 1.0, 5, dtype=torch.float64)


def error_of(values, problem, exact=wave):
    points = problem.points
    wanted = exact(points[:, :-1], points[:, -1])
    assert values.shape == wanted.shape
    return float((values - wanted).norm() / wanted.norm())


class Ordinary(dtpinn.PDE):
    """No space at all: u_t = rate(u, t), one equation at every node, for what time does alone."""

    def __init__(self, rate, start=1.0, **parts):
        super().__init__()
        self.rate, self.start = rate, start

    def residual(self, u, D, x, t):
        return D.time(u) - self.rate(u, t)

    def boundary(self, u, D, x, n, t):
        return D.normal(u)

    def initial(self, u, D, x):
        return u - self.start


def ordinary(nodes, rate, times=TIMES, start=1.0):
    return dtpinn.discretize(Ordinary(rate, start), nodes, order=2, times=times)


@pytest.mark.parametrize(
    ("alpha", "order"),
    mostly_full(product([0.0, 1.0], [2, 3, 4, 5]), {(0.0, 4), (1.0, 2)}.__contains__),
)
def test_the_solution_converges_at_the_order_in_space(order, alpha, disk):
    errors = []
    for spacing in (0.16, 0.08):
        problem = dtpinn.discretize(Diffusion(alpha), disk(spacing), order, times=TIMES)
        errors.append(error_of(problem.solve(time_tolerance=1e-8), problem))
    # On clouds that are not similar; at order 4 the Laplacian's own order is what shows.
    assert order - 1.1 < math.log2(errors[0] / errors[1]) < order + 2.5


@pytest.mark.full
def test_a_nonlinear_equation_in_time_converges_in_space(disk):
    errors = []
    for spacing in (0.16, 0.08):
        pde = Diffusion(alpha=1.0, reaction=lambda u: u - u**3)
        problem = dtpinn.discretize(pde, disk(spacing), order=4, times=TIMES)
        errors.append(error_of(problem.solve(time_tolerance=1e-8), problem))
    assert errors[0] / errors[1] > 2**3
    assert errors[1] < 2e-5


def test_a_field_without_a_rate_is_carried_along(disk):
    """A differential-algebraic system of two fields, of which the initial condition gives one."""
    nodes = disk(0.1)
    problem = dtpinn.discretize(SplitHeat(), nodes, order=4, times=TIMES)
    u = problem.solve(time_tolerance=1e-6)  # of order 3 only in what has no rate
    exact = SplitHeat().exact(problem.points[:, :2], problem.points[:, 2])
    later = torch.arange(len(u)) % len(TIMES) > 0
    assert (u - exact)[later].norm() < 1e-4 * exact[later].norm()
    assert (u - exact)[~later, 0].norm() < 1e-12 * exact[~later, 0].norm()
    # What initial() does not give follows from the equations.
    assert (u - exact)[~later, 1].norm() < 1e-4 * exact[~later, 1].norm()


def test_the_values_satisfy_the_conditions_at_every_slice(disk):
    """Radau's last stage is the end of the step, so that nothing algebraic drifts."""
    problem = dtpinn.discretize(Diffusion(), disk(0.16), order=3, times=TIMES)
    u = problem.solve().reshape(-1, len(TIMES))
    on_boundary = u[problem.nodes.interior_count :]
    wanted = wave(*_split(problem)).reshape(-1, len(TIMES))[problem.nodes.interior_count :]
    assert torch.allclose(on_boundary, wanted, atol=1e-12)


def _split(problem):
    return problem.points[:, :2], problem.points[:, 2]


@pytest.mark.parametrize("tolerance", mostly_full([1e-4, 1e-7, 1e-10], {1e-7}.__contains__))
def test_the_error_in_time_is_what_was_asked_for_and_what_is_told(tolerance, disk):
    """u_t = -u + cos(8 t) and u_t = -u^2, whose solutions are known without any space."""
    nonlinear = ordinary(disk(0.3), lambda u, t: -3 * u**2)
    told = integrate(nonlinear, time_tolerance=tolerance)
    true = error_of(told.values, nonlinear, lambda x, t: 1 / (1 + 3 * t))
    assert true <= told.time_error <= len(TIMES) * tolerance
    forced = ordinary(disk(0.3), lambda u, t: -u + torch.cos(8 * t))
    exact = lambda x, t: (  # noqa: E731
        (torch.cos(8 * t) + 8 * torch.sin(8 * t)) / 65 + 64 / 65 * torch.exp(-t)
    )
    told = integrate(forced, time_tolerance=tolerance)
    assert error_of(told.values, forced, exact) <= told.time_error <= len(TIMES) * tolerance


def test_steps_are_of_order_nine(disk):
    for rate in (lambda u, t: -3 * u**2, lambda u, t: -u + torch.cos(8 * t)):
        stepper = Stepper(ordinary(disk(0.3), rate).system, 1e-13)
        start = stepper.system.restrict(np.ones(len(disk(0.3).extended)))[None]
        ends = [stepper.march(start, 0.0, 1.0, count)[0, 0] for count in (2, 4, 32)]
        coarse, fine = (abs(end - ends[2]) for end in ends[:2])
        assert math.log2(coarse / fine) > 8


@pytest.mark.parametrize(
    "dtype", mostly_full([torch.float64, torch.float32], {torch.float32}.__contains__)
)
def test_a_linear_equation_is_factorised_once_for_each_step_length(dtype, disk):
    """Also where the slices are equidistant to 1e-7 only."""
    times = torch.linspace(0.0, 1.0, 31, dtype=dtype)
    problem = dtpinn.discretize(Diffusion(alpha=1.0), disk(0.3), order=2, times=times)
    told = integrate(problem, time_tolerance=1e-8)
    assert told.factorizations <= 8
    assert told.steps >= 60


def test_coefficients_that_vary_in_time_are_followed(disk):
    """u_t = -2 t u / (1 + t^2): linear, but the factors of one step are not those of the next."""
    problem = ordinary(disk(0.3), lambda u, t: -2 * t * u / (1 + t**2))
    told = integrate(problem)
    assert error_of(told.values, problem, lambda x, t: 1 / (1 + t**2)) < 1e-10


def test_an_equation_that_is_linear_only_at_first_is_not_taken_for_linear(disk):
    """From u = 0 the slope of u^2 is 0 until a source begins to act, after the first slice."""
    begin = 0.5
    push = lambda t: torch.clamp(t - begin, min=0.0) ** 5 * 40  # noqa: E731
    problem = ordinary(disk(0.3), lambda u, t: push(t) + 9 * u**2, start=0.0)
    u = problem.solve().reshape(-1, len(TIMES))[0]
    import scipy.integrate

    reference = scipy.integrate.solve_ivp(
        lambda t, u: 40 * max(t - begin, 0.0) ** 5 + 9 * u**2,
        (0.0, 1.0), [0.0], t_eval=TIMES.numpy(), rtol=1e-12, atol=1e-14, max_step=0.01,
    )  # fmt: skip
    assert np.allclose(u.numpy(), reference.y[0], rtol=1e-8, atol=1e-12)


def test_ghost_values_at_the_start_play_no_part(disk):
    problem = dtpinn.discretize(Diffusion(), disk(0.16), order=3, times=TIMES)
    count, extended = problem.nodes.count, len(problem.nodes.extended)
    (start,), _ = initial_values(problem.system, np.zeros(extended))
    ends = []
    for ghosts in (0.0, 1e6):
        start[count:] = ghosts
        stepper = Stepper(problem.system, 1e-10)
        ends.append(stepper.march(stepper.system.restrict(start)[None], 0.0, 0.25, 4)[0, :count])
    assert np.allclose(*ends, rtol=1e-9)


def test_the_initial_condition_may_be_any_equation_for_u(disk):
    class Root(Ordinary):
        def initial(self, u, D, x):
            return u**3 - (2 + x[:, 0])

    problem = dtpinn.discretize(Root(lambda u, t: 0 * u), disk(0.2), order=2, times=TIMES)
    u = problem.solve(guess=lambda p: 1 + 0 * p[:, 0]).reshape(-1, len(TIMES))
    wanted = (2 + torch.tensor(problem.nodes.collocation[:, 0])) ** (1 / 3)
    assert torch.allclose(u[:, 0], wanted, rtol=1e-12)
    with pytest.raises(RuntimeError, match=r"initial\(\): Newton's method cannot"):
        problem.solve()  # from zero, where u^3 has no slope


def test_a_layer_at_the_start_is_followed(disk):
    """u = 1 inside, 0 on the boundary from the start on: the stiff part dies at once."""

    class Quench(dtpinn.PDE):
        def residual(self, u, D, x, t):
            return D.time(u) - D.laplacian(u)

        def boundary(self, u, D, x, n, t):
            return D.normal(u) + 50 * u

        def initial(self, u, D, x):
            return u - 1.0

    problem = dtpinn.discretize(Quench(), disk(0.2), order=2, times=TIMES)
    told = integrate(problem, time_tolerance=1e-7)
    reference = integrate(problem, time_tolerance=1e-10)
    assert (told.values - reference.values).norm() < 1e-6 * reference.values.norm()


def test_the_loss_at_slices_does_not_determine_what_happens_between_them(disk):
    """Two functions: one is wrong between the slices, one at them; the loss of both is zero.

    A property of the method: u_t at a slice is free of u at the slices, unless the model is smooth.
    """
    times = TIMES.double()
    problem = dtpinn.discretize(
        Ordinary(lambda u, t: -u + 1.0, 1.0), disk(0.3), order=2, times=times
    )
    exact = lambda p: torch.ones_like(p[:, 0])  # noqa: E731
    waves = lambda p: torch.sin(math.pi * 4 * p[:, -1])  # noqa: E731
    between = lambda p: exact(p) + waves(p) ** 2  # noqa: E731
    assert problem.loss(between) < 1e-25
    assert between(torch.tensor([[0.0, 0.0, 0.125]])) == 2.0
    # At the slices u = 1 + t, whose rate is 1: a wiggle makes it -t, as the equation wants.
    wiggle = lambda p: -(1 + p[:, -1]) * waves(p) * torch.cos(4 * math.pi * p[:, -1])  # noqa: E731
    at_them = lambda p: 1 + p[:, -1] + wiggle(p) / (4 * math.pi)  # noqa: E731
    assert problem.loss(at_them) < 1e-25
    assert problem.estimate(at_them).distance > 0.5


def test_known_functions_keep_nothing_of_the_times_between_slices(disk):
    class Forced(Diffusion):
        def __init__(self):
            super().__init__()
            self.f = dtpinn.Known(lambda x, t: torch.cos(t))

        def residual(self, u, D, x, t):
            return D.time(u) - D.laplacian(u) - self.f(x, t)

    pde = Forced()
    problem = dtpinn.discretize(pde, disk(0.3), order=2, times=TIMES)
    problem.solve(time_tolerance=1e-3)
    few = len(pde.f._seen)
    problem.solve(time_tolerance=1e-8)
    assert len(pde.f._seen) == few


def test_what_cannot_be_integrated_says_why(disk):
    nodes = disk(0.3)

    class Open(SplitHeat):
        def initial(self, u, D, x):
            return u[:, 1]

    with pytest.raises(ValueError, match=r"says nothing of the field\(s\) u_1"):
        dtpinn.discretize(Open(), nodes, order=2, times=TIMES).solve()

    class Undetermined(Diffusion):
        def residual(self, u, D, x, t):
            return 0 * D.time(u) + D.laplacian(u)

        def boundary(self, u, D, x, n, t):
            return D.normal(u)

    with pytest.raises(RuntimeError, match="do not determine the next step"):
        dtpinn.discretize(Undetermined(), nodes, order=2, times=TIMES).solve()

    class TooMany(SplitHeat):
        def boundary(self, u, D, x, n, t):
            return torch.cat([u, D.normal(u), u], dim=1)

    with pytest.raises(
        ValueError, match=r"not square.*and 2 condition\(s\) at.*write it as two of second order"
    ):
        dtpinn.discretize(TooMany(), nodes, order=2, times=TIMES).solve()
    jump = ordinary(nodes, lambda u, t: -u + (t > 0.77).to(u))
    with pytest.raises(
        RuntimeError, match=r"from t = 0.75 to 1 the time tolerance 1.0e-08 is not"
    ) as raised:
        jump.solve(time_tolerance=1e-8)
    jump.solve(time_tolerance=float(str(raised.value).split("time_tolerance=")[1].split()[0]))
    ends = ordinary(nodes, lambda u, t: 4 * u**2, times=[0.0, 0.2, 0.4], start=1.0)  # at 1/4
    with pytest.raises(RuntimeError, match=r"0.2 to 0.4 Newton's iteration does not converge"):
        ends.solve(time_tolerance=1e-3)
    with pytest.raises(ValueError, match="positive number"):
        jump.solve(time_tolerance=0.0)
    steady = dtpinn.discretize(dtpinn.Poisson.from_solution(lambda x: x[:, 0]), nodes, order=2)
    with pytest.raises(ValueError, match="steady"):
        integrate(steady)
