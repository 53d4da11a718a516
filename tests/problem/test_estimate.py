"""How wrong a model is, told without the solution, and held against it."""

from __future__ import annotations

import math

import pytest
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from tests.marks import mostly_full
from tests.problem.evolutions import Diffusion, wave

TIMES = torch.linspace(0.0, 1.0, 5)


class Pair(dtpinn.PDE):
    """Two fields that push each other."""

    fields = 2

    def exact(self, x):
        return torch.stack([sine_cosine(x), torch.exp(x[:, 0] * x[:, 1])], dim=1)

    def residual(self, u, D, x):
        exact = self.exact(x)
        first = -2 * math.pi**2 * (exact[:, 0] - 1)
        second = x.square().sum(1) * exact[:, 1]
        wanted = torch.stack([first, second], dim=1)
        return D.laplacian(u) - wanted - (u - exact) * u.flip(1)

    def boundary(self, u, D, x, n):
        return u - self.exact(x)


def in_time(points):
    return wave(points[:, :2], points[:, 2])


def steady(**options):
    return dtpinn.Poisson.from_solution(sine_cosine, **options)


CASES = {
    "linear": (steady(), sine_cosine, None),
    "nonlinear": (steady(reaction=torch.exp), sine_cosine, None),
    "two fields": (Pair(), Pair().exact, None),
    "in time": (Diffusion(), in_time, TIMES),
    "nonlinear in time": (Diffusion(1.0, reaction=lambda u: u - u**3), in_time, TIMES),
}


@pytest.mark.parametrize("case", mostly_full(CASES, lambda case: "time" not in case))
def test_the_estimate_is_of_the_size_of_the_error_without_knowing_it(case, disk):
    pde, exact, times = CASES[case]
    problem = dtpinn.discretize(pde, disk(0.16), order=3, times=times)
    wanted = exact(problem.points)
    floor = float((problem.solve() - wanted).norm() / wanted.norm())
    assert floor > 1e-5
    at_the_solution = problem.estimate(exact)
    assert 0.4 < at_the_solution.discretisation / floor < 2.5
    assert 0.9 < at_the_solution.distance / floor < 1.1  # the solution is that far from u_p
    off = problem.estimate(lambda points: 1.01 * exact(points))
    assert abs(off.distance - 0.01) < 2 * floor
    assert abs(off.distance + off.discretisation - 0.01) < 4 * floor
    if times is None:  # and far more exactly than either
        assert abs(off.error - 0.01) < 0.01 * floor**0.5


@pytest.mark.parametrize("case", mostly_full(["nonlinear", "in time"], {"in time"}.__contains__))
def test_what_a_trained_model_is_told_holds(case, disk):
    """The error of the model lies below the sum of the two, and near it."""
    pde, exact, times = CASES[case]
    problem = dtpinn.discretize(pde, disk(0.2), order=3, times=times)
    model = dtpinn.MLP(2 if times is None else 3, width=10, depth=1, seed=0)
    dtpinn.fit(model, problem, epochs=10)
    wanted = exact(problem.points)
    true = float((model(problem.points).detach() - wanted).norm() / wanted.norm())
    assert true / 1.5 < problem.estimate(model).total < 2 * true + 1e-3


def test_given_matrices_leave_the_discretisation_open_in_time_as_well(disk):
    own = {"laplacian": dtpinn.rbffd.laplacian(disk(0.2), order=3)}
    problem = dtpinn.discretize(Diffusion(), disk(0.2), times=TIMES, operators=own)
    estimate = problem.estimate(in_time)
    assert estimate.discretisation is None
    assert 0 < estimate.distance < 0.05


def test_of_several_solutions_it_is_the_one_that_the_model_approximates(disk):
    class Phases(dtpinn.PDE):
        def residual(self, u, D, x):
            return 0.01 * D.laplacian(u) + u - u**3

        def boundary(self, u, D, x, n):
            return D.normal(u)

    problem = dtpinn.discretize(Phases(), disk(0.2), order=3)
    assert problem.solve().abs().max() == 0.0  # from zero, which is one of three
    estimate = problem.estimate(lambda x: 1e-3 * x[:, 0] - 1)
    assert 1e-4 < estimate.distance < 1e-3
    assert estimate.discretisation < 1e-8


def test_of_a_system_each_field_has_its_own_figures(disk):
    """A model that is off by a tenth in one field and right in the other."""
    problem = dtpinn.discretize(Pair(), disk(0.2), order=4)
    u = problem.solve()
    off = u * torch.tensor([1.1, 1.0])
    found = problem.estimate(off)
    first, second = (found.by_field[name] for name in problem.pde.field_names)
    assert first[0] == pytest.approx(0.1, rel=1e-6)
    assert second[0] < 1e-9
    assert 0.0 < second[1] < 0.1
    assert f"{problem.pde.field_names[0]} 1.0e-01" in str(found)


def test_it_tells_by_how_much_constraints_are_missed(disk):
    """A model that is off by a constant misses its mean by that, and its value at a point too."""
    exact = lambda x: x[:, 0] ** 3  # noqa: E731
    pde = dtpinn.Poisson.from_solution(exact, alpha=1.0, beta=0.0)
    problem = dtpinn.discretize(pde, disk(0.1), constraints=[dtpinn.Mean(0.0, name="balance")])
    told = problem.estimate(lambda x: exact(x) + 0.25)
    assert told.constraints == {"balance": pytest.approx(0.25, abs=1e-6)}
    assert "misses balance by 2.5e-01" in str(told)
    assert problem.estimate(problem.solve()).constraints["balance"] < 1e-9
    times = torch.linspace(0, 1, 3)
    held = [dtpinn.Mean(lambda t: 0.25 * torch.exp(-t))]
    pde = dtpinn.Heat.from_solution(lambda x, t: torch.exp(-t) * x[:, 0] ** 2)
    told = dtpinn.discretize(pde, disk(0.2), times=times, constraints=held)
    model = lambda z: torch.exp(-z[:, 2]) * (z[:, 0] ** 2 + 1.0)  # noqa: E731
    assert told._missed(model)["mean"] == pytest.approx(1.0, abs=1e-2)
