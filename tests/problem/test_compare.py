"""Both kinds of derivative side by side, with a verdict."""

from __future__ import annotations

import dataclasses

import pytest
import scipy.sparse
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from tests.problem.equations import Elasticity, ReactionInTime, TwoParts
from tests.problem.evolutions import Diffusion, wave

TIMES = torch.linspace(0.0, 0.6, 4)


def network(inputs, fields=1, **options):
    return dtpinn.MLP(inputs, width=20, depth=2, fields=fields, seed=3, **options)


def part(comparison, name):
    (found,) = [p for p in comparison.parts if p.residual == name]
    return found


CASES = {
    "nonlinear": (dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp), None),
    "two fields": (Elasticity(), None),
    "in time": (ReactionInTime(), TIMES),
}


@pytest.mark.parametrize("case", CASES)
def test_the_difference_is_the_truncation_error(case, disk):
    pde, times = CASES[case]
    problem = dtpinn.discretize(pde, disk(0.1), order=4, times=times)
    told = problem.compare(network(2 if times is None else 3, pde.fields))
    assert told.agrees
    assert [p.residual for p in told.parts] == ["pde", "boundary"] + ["initial"] * (
        times is not None
    )
    for p in told.parts[:2]:
        assert 0.5 < p.relative / p.truncation < 2.0
        assert 0 < p.relative < 1e-3
        assert p.verdict == "agrees"


def test_the_figures_are_those_of_the_two_problems(two_parts):
    pde, model = TwoParts(), network(2)
    problem = dtpinn.discretize(pde, two_parts, order=3)
    told = problem.compare(model)
    ours = problem.residuals(model)
    exact = dtpinn.vanilla(pde, two_parts, collocation="all").residuals(model)
    regions = {region.name: region.points for region in problem.regions}
    u = {name: model(points).detach() for name, points in regions.items()}
    own = {name: (v - v.mean()).abs() for name, v in u.items()}
    size_of = {  # of Laplacian u - u, of u - y, and of du/dn + 2 u
        "pde": (exact["pde"] + u["pde"]).abs() + own["pde"],
        "boundary.left": own["boundary.left"],
        "boundary.right": (exact["boundary.right"] - 2 * u["boundary.right"]).abs()
        + 2 * own["boundary.right"],
    }
    for name, r in ours.items():
        p, difference = part(told, name), r - exact[name]
        assert p.rms == pytest.approx(r.square().mean().sqrt().item(), rel=1e-12)
        assert p.automatic == pytest.approx(exact[name].square().mean().sqrt().item(), rel=1e-12)
        assert p.largest == pytest.approx(difference.abs().max().item(), rel=1e-12)
        size = size_of[name].norm()
        assert p.relative == pytest.approx((difference.norm() / size).item(), rel=1e-9)
    assert part(told, "boundary.left").relative < 1e-14  # u alone, no derivative in it
    assert "boundary.right" in str(told)
    assert "next order" in str(told)


def test_at_the_solution_the_yardstick_still_holds(disk):
    """The residual is zero there, and no measure of its own error; the model's part in it is."""
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), disk(0.1), order=4)
    told = problem.compare(sine_cosine)
    assert told.agrees
    assert part(told, "pde").automatic < 1e-12
    assert part(told, "pde").relative < 2e-3


def wrong_matrices(nodes):
    L = dtpinn.rbffd.laplacian(nodes, order=4).to_scipy()
    square = L[:, : nodes.count]
    transposed = scipy.sparse.hstack([square.T, L[:, nodes.count :]], format="csr")
    return {"sign": -L, "transposed": transposed, "columns": L[:, ::-1], "factor": 2 * L}


@pytest.mark.parametrize("mistake", ["sign", "transposed", "columns", "factor"])
@pytest.mark.parametrize("times", [None, TIMES], ids=["steady", "in time"])
def test_a_wrong_matrix_is_found_and_named(mistake, times, disk):
    nodes = disk(0.1)
    own = {"laplacian": wrong_matrices(nodes)[mistake]}
    linear = dtpinn.Poisson.from_solution(sine_cosine)
    pde = linear if times is None else Diffusion(alpha=1.0, reaction=torch.sin)
    told = dtpinn.discretize(pde, nodes, order=4, times=times, operators=own).compare(
        network(2 if times is None else 3)
    )
    assert not told.agrees
    assert part(told, "pde").agrees is False
    assert part(told, "pde").verdict.startswith("DIFFERS")
    assert part(told, "boundary").agrees


def test_a_right_matrix_agrees_near_the_solution_and_far_from_it(disk):
    nodes = disk(0.1)
    own = {"laplacian": dtpinn.rbffd.laplacian(nodes, order=3)}
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, operators=own)
    for model in (network(2), sine_cosine):
        assert problem.compare(model).agrees
    assert "RBF-FD of order 2" in str(problem.compare(sine_cosine))


def test_what_is_wrong_is_found_near_the_solution_as_well(disk):
    nodes = disk(0.1)
    own = {"laplacian": 1.2 * dtpinn.rbffd.laplacian(nodes, order=4).to_scipy()}
    pde = Diffusion(alpha=1.0)
    problem = dtpinn.discretize(pde, nodes, times=TIMES, operators=own)
    told = problem.compare(lambda p: wave(p[:, :2], p[:, 2]))
    assert part(told, "pde").agrees is False


def test_a_model_that_is_not_smooth_differs(disk):
    """Automatic differentiation sees no second derivative of a kink."""
    pde = dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp)
    problem = dtpinn.discretize(pde, disk(0.1))
    assert not problem.compare(lambda x: torch.relu(x[:, 0]) + x[:, 1]).agrees


def test_where_nodes_are_too_coarse_nothing_is_claimed(disk):
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), disk(0.2), order=3)
    told = problem.compare(lambda x: torch.sin(9 * x[:, 0]) * torch.sin(8 * x[:, 1]))
    assert part(told, "pde").agrees is None
    assert "too coarse" in str(told)


def test_single_precision_is_compared_in_its_own_round_off(disk):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    problem = dtpinn.discretize(pde, disk(0.1), order=5, dtype=torch.float32)
    assert problem.compare(network(2, dtype=torch.float32)).agrees


def test_verdicts_without_a_yardstick():
    told = dtpinn.problem.ResidualComparison("pde", 1.0, 1.0, 0.1, 0.1, None, 1e-10)
    assert told.agrees is None
    assert told.verdict == "no yardstick"
    wrong = dataclasses.replace(told, relative=2.0)
    assert wrong.agrees is False
    assert wrong.verdict == "DIFFERS"
    assert dataclasses.replace(told, relative=1e-12).agrees
    assert dataclasses.replace(told, relative=float("nan"), truncation=1e-3).agrees is not True


def test_nodes_too_few_for_the_next_order_leave_no_yardstick():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=50, seed=0)
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, order=5)
    with pytest.raises(ValueError, match="a stencil needs"):
        problem.with_order(6)
    comparison = problem.compare(network(2))
    assert [part.truncation for part in comparison.parts] == [None, None]
    assert comparison.agrees
    assert "no yardstick" in str(comparison)
    estimate = problem.estimate(sine_cosine)
    assert estimate.discretisation is None
    assert estimate.total == estimate.error < 1e-10  # that it knows from the model itself
    of_values = problem.estimate(sine_cosine(problem.points))
    assert of_values.total == of_values.distance
    assert "not known: there are no matrices of the next order" in str(of_values)


def test_of_several_equations_the_wrong_one_is_told(disk):
    """A matrix that is twice what it stands for, in the second equation alone."""

    class Pair(dtpinn.PDE):
        fields = ("temperature", "voltage")

        def residual(self, u, D, x):
            apart = D.partial(u, 0, 0) + D.partial(u, 1, 1)
            return torch.stack([D.laplacian(u)[:, 0], apart[:, 1]], dim=1)

        def boundary(self, u, D, x, n):
            return u

    nodes, model = disk(0.1), network(2, 2)
    right = part(dtpinn.discretize(Pair(), nodes, order=4).compare(model), "pde")
    assert len(right.by_equation) == 2
    for relative, truncation in right.by_equation:
        assert 0.5 < relative / truncation < 2.0
    twice = 2.0 * dtpinn.rbffd.partial(nodes, 0, 0, order=4).to_scipy()
    own = {"partial(0, 0)": twice}
    told = dtpinn.discretize(Pair(), nodes, order=4, operators=own).compare(model)
    (first, _), (second, _) = part(told, "pde").by_equation
    assert first < 1e-3 < 0.1 < second
    assert "equation 1" in str(told)
