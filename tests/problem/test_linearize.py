"""Residuals and sparse Jacobians at nodal values, steady and in time."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.pde.row_gradients import rates
from dtpinn.pde.solutions import sine_cosine
from tests.problem.equations import ReactionInTime, SecondInTime, TwoParts
from tests.problem.evolutions import Coupled, Diffusion

TIMES = torch.linspace(0.1, 0.7, 3, dtype=torch.float64)


def in_time(pde, nodes, **options):
    return dtpinn.discretize(pde, nodes, order=3, times=TIMES, **options)


def states(problem, rng, count):
    shape = (len(problem.nodes.extended) * len(problem.times),)
    return rng.standard_normal((count, *shape, *[problem.pde.fields] * (problem.pde.fields > 1)))


EVOLUTIONS = {"one field": ReactionInTime(), "two": Coupled(), "second order": SecondInTime()}


@pytest.mark.parametrize("name", EVOLUTIONS)
def test_all_jacobians_are_derivatives_of_the_residuals(name, disk, rng):
    """Against central differences along random directions in u and in its rates."""
    problem = in_time(EVOLUTIONS[name], disk(0.2))
    order = problem.posed.time_order
    *state, direction = states(problem, rng, 2 + order)
    here = problem.linearize(*state)
    assert list(here.residuals) == ["pde", "boundary", "initial"]
    assert len(here.rates) == order
    step = 1e-6
    for k, jacobians in enumerate([here.jacobians, *here.rates]):
        moved = [[v + s * (j == k) * direction for j, v in enumerate(state)] for s in (step, -step)]
        plus, minus = (problem.linearize(*values).residuals for values in moved)
        for part, jacobian in jacobians.items():
            slope = (plus[part] - minus[part]) / (2 * step)
            predicted = (jacobian @ direction.ravel()).reshape(slope.shape)
            assert np.abs(predicted - slope).max() <= 1e-6 * np.abs(slope).max(), (part, k)
    assert (here.rates[0]["initial"].nnz == 0) == (order == 1)
    assert all(rates["boundary"].nnz > 0 for rates in here.rates)


@pytest.mark.parametrize("pde", EVOLUTIONS.values(), ids=EVOLUTIONS.keys())
def test_the_residuals_of_a_model_are_those_of_its_nodal_values_and_rates(pde, disk):
    problem = in_time(pde, disk(0.2))
    model = dtpinn.MLP(3, width=10, depth=2, fields=pde.fields, seed=0)
    x, t = problem.extended_points, problem.extended_time.requires_grad_()
    state = [model(torch.cat([x, t[:, None]], dim=1))]
    state += [rates(state[0], t, k + 1) for k in range(problem.posed.time_order)]
    at = problem.linearize(*(v.detach().numpy() for v in state)).residuals
    for name, residual in problem.residuals(model).items():
        wanted = residual.detach().numpy().reshape(at[name].shape)
        assert np.allclose(at[name], wanted, atol=1e-10), name


def test_a_linear_equation_hands_back_the_same_jacobians(disk, rng):
    problem = in_time(Diffusion(alpha=1.0), disk(0.2))
    u, rate = states(problem, rng, 2)
    first, second = problem.linearize(u, rate), problem.linearize(2 * u, rate)
    assert not np.array_equal(first.residuals["pde"], second.residuals["pde"])
    for name, jacobian in first.jacobians.items():
        assert second.jacobians[name] is jacobian
        assert second.rates[0][name] is first.rates[0][name]
        with pytest.raises(ValueError, match="read-only"):
            jacobian.data[0] = 1.0
    steady = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), disk(0.2))
    at_zero = steady.linearize(np.zeros(len(disk(0.2).extended)))
    assert at_zero.rates == ()


def test_a_nonlinear_equation_does_so_at_the_same_state_only(disk, rng):
    problem = in_time(Diffusion(reaction=torch.sin), disk(0.2))
    u, rate = states(problem, rng, 2)
    first = problem.linearize(u, rate).jacobians
    kept = first["pde"].copy()
    again, other = (problem.linearize(v, rate).jacobians for v in (u, 2 * u))
    assert again["pde"] is first["pde"]
    assert other["pde"] is not first["pde"]
    assert other["boundary"] is first["boundary"]
    assert np.array_equal(first["pde"].data, kept.data)  # what was handed out stays as it was
    assert np.shares_memory(
        other["pde"].indices, first["pde"].indices
    )  # one pattern for all states


def test_jacobians_are_of_float64_whatever_is_trained(disk, rng):
    u, rate = states(in_time(Coupled(), disk(0.2)), rng, 2)
    double, single = (
        in_time(Coupled(), disk(0.2), dtype=dtype).linearize(u, rate)
        for dtype in (torch.float64, torch.float32)
    )
    for name in double.residuals:
        difference = abs(double.residuals[name] - single.residuals[name]).max()
        assert difference < 1e-10 * abs(double.residuals[name]).max()
        difference = abs(double.jacobians[name] - single.jacobians[name]).max()
        assert difference < 1e-10 * abs(double.jacobians[name]).max()


def test_copies_linearise_by_themselves(two_parts, rng):
    problem = dtpinn.discretize(TwoParts(), two_parts)
    u = rng.standard_normal(len(problem.nodes.extended))
    first = problem.linearize(u).jacobians["pde"]
    other = copy.deepcopy(problem).linearize(u).jacobians["pde"]
    assert other is not first
    assert abs(other - first).max() < 1e-12 * abs(first).max()


def test_shapes_and_rates_are_checked(disk):
    steady = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), disk(0.2))
    nodes = len(disk(0.2).extended)
    with pytest.raises(ValueError, match=rf"u must hold .* shape \({nodes},\), got \(3,\)"):
        steady.linearize(np.zeros(3))
    with pytest.raises(ValueError, match="no rate of change"):
        steady.linearize(np.zeros(nodes), np.zeros(nodes))
    problem = in_time(Diffusion(), disk(0.2))
    u = np.zeros(len(problem.nodes.extended) * len(TIMES))
    with pytest.raises(ValueError, match="needs du/dt as well"):
        problem.linearize(u)
    with pytest.raises(ValueError, match=r"rate must hold"):
        problem.linearize(u, np.zeros(3))
    wave = in_time(dtpinn.Wave(None, dtpinn.Dirichlet()), disk(0.2))
    u = np.zeros(len(wave.extended_points))
    with pytest.raises(ValueError, match="needs du/dt and d2u/dt2 as well"):
        wave.linearize(u, u)


def test_problems_made_in_inference_mode_are_like_any_other(disk):
    with torch.inference_mode():
        times = torch.linspace(0.0, 1.0, 3, dtype=torch.float64)
        problem = dtpinn.discretize(Diffusion(alpha=1.0), disk(0.2), order=2, times=times)
        baseline = dtpinn.vanilla(Diffusion(alpha=1.0), disk(0.2), times=times)
        solved = problem.solve(time_tolerance=1e-4)
        values = np.ones((2, len(disk(0.2).extended) * 3))
        assert problem.linearize(*values).jacobians["pde"].nnz > 0
        told = problem.compare(lambda p: p[:, 0] * p[:, 2])
    torch.testing.assert_close(problem.solve(time_tolerance=1e-4), solved)
    assert told.agrees
    for made in (problem, baseline):
        result = dtpinn.fit(dtpinn.MLP(3, width=5, depth=1, seed=0), made, epochs=2)
        assert result.history[-1].loss < result.history[0].loss
