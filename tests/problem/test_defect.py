"""Below the floor: exact residuals on a discrete problem's points, and the error they tell."""

import pytest
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine, sine_cosine_sine
from dtpinn.problem.exact_twin import exact_twin
from dtpinn.problem.fresh import between
from dtpinn.problem.relative_error import relative_distance
from tests.marks import mostly_full

ANNULUS = dtpinn.geometry.Disk(1.0) - dtpinn.geometry.Disk(0.4)


SQUARE = dtpinn.geometry.Rectangle((0, 0), (1, 1))


def potential(x):
    """Between two cylinders: no polynomial, so that matrices do not have it for nothing."""
    return torch.log(x.norm(dim=1)) + x[:, 0] / x.square().sum(dim=1)


def harmonic(x):
    return torch.exp(2 * x[:, 0]) * torch.sin(2 * x[:, 1])


LAPLACE = dtpinn.Poisson(0.0, dtpinn.Dirichlet(lambda x, n: potential(x)))


class Plate(dtpinn.PDE):
    """Of fourth order, which forward mode does not carry."""

    def residual(self, u, D, x):
        return D.biharmonic(u) - 64.0

    def boundary(self, u, D, x, n):
        return torch.stack([u, D.normal(u)], dim=1)


WALLS = {"*": dtpinn.Dirichlet(lambda x, n: x, field=("u", "v"))}
EQUATIONS = {
    "nonlinear": (dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp), None),
    "heat": (dtpinn.Heat.from_solution(sine_cosine_sine), [0.0, 0.5, 1.0]),
    "stokes": (
        dtpinn.Stokes(1.0, WALLS, lambda x: x),
        None,
    ),
    "plate": (Plate(), None),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_twin_is_the_vanilla_problem_at_the_points_of_the_matrices(name, disk):
    """The loss by matrices comes to the twin's as the order grows; the twin knows no order."""
    pde, times = EQUATIONS[name]
    model = dtpinn.MLP(2 if times is None else 3, width=6, depth=1, fields=pde.field_count, seed=0)
    losses = []
    for order in (2, 5):
        problem = dtpinn.discretize(pde, disk(0.12), order=order, times=times)
        twin = exact_twin(problem, model)
        exact = problem.loss_parts(twin.residuals(model))
        losses.append(sum(exact.values()))
        ours = problem.loss_parts(problem.residuals(model))
        assert list(exact) == list(ours)
    assert torch.isclose(*losses, rtol=1e-9)
    assert all(torch.isclose(exact[name], ours[name], rtol=0.05) for name in ours)


def test_on_periodic_nodes_it_takes_a_model_that_is_periodic():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle((0, 0), (1, 1), periodic=True), 0.1)
    pde = dtpinn.Poisson(lambda x: torch.sin(6 * x[:, 0]), reaction=lambda u: -u)
    problem = dtpinn.discretize(pde, nodes, order=3)
    with pytest.raises(ValueError, match=r"across the seam .*PeriodicMLP"):
        exact_twin(problem, dtpinn.MLP(2, seed=0))
    periodic = dtpinn.models.PeriodicMLP(2, periods=(1.0, 1.0), width=6, depth=1, seed=0)
    assert exact_twin(problem, periodic).residuals(periodic)["pde"].isfinite().all()


@pytest.mark.parametrize("order", [2, 4])
def test_the_error_of_a_model_is_known_far_below_that_of_the_matrices(order):
    """The solution but for a bump of known size, on nodes whose own error is 1e-2 or 1e-3."""
    nodes = dtpinn.place_nodes(ANNULUS, spacing=0.1)
    problem = dtpinn.discretize(LAPLACE, nodes, order=order)
    for size in (1e-3, 1e-6, 1e-9):
        bump = lambda x: size * torch.sin(3 * x[:, 0]) * torch.cos(2 * x[:, 1])  # noqa: E731, B023
        model = lambda x: potential(x) + bump(x)  # noqa: E731, B023
        at = problem.points
        true = float(bump(at).norm() / potential(at).norm())
        estimate = problem.estimate(model)
        assert 0.7 < estimate.error / true < 1.5
        assert estimate.total == estimate.error
        assert f"error about {estimate.error:.1e} by the exact residual" in str(estimate)


def test_what_a_model_hides_between_the_nodes_is_seen():
    """Right at every node, and a wave of the spacing's length between them."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    h = 0.05
    exact = lambda x: torch.exp(x[:, 0])  # noqa: E731
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(exact, alpha=0.0, beta=1.0), nodes)
    wiggle = lambda x: exact(x) + 1e-2 * torch.sin(torch.pi * x[:, 0] / h)  # noqa: E731
    at_nodes, beside = problem.errors_by_defect(wiggle)
    assert at_nodes < 1e-6
    assert beside > 1e-3


def test_a_quadrature_of_a_constraint_has_an_error_of_its_own():
    """Pure Neumann conditions: the constant that the mean chooses is as right as its weights."""
    exact = lambda x: torch.cos(torch.pi * x[:, 0]) * torch.cos(torch.pi * x[:, 1])  # noqa: E731
    nodes = dtpinn.place_nodes(SQUARE, spacing=0.06)
    pde = dtpinn.Poisson.from_solution(exact, alpha=1.0, beta=0.0)
    problem = dtpinn.discretize(pde, nodes, constraints=[dtpinn.Mean(0.0)])
    at = problem.points
    mean = problem.measure(lambda x: exact(x), dtpinn.Mean())  # 0, but for the weights
    model = lambda x: exact(x) - mean  # noqa: E731
    true = float(abs(mean) * len(at) ** 0.5 / exact(at).norm())
    at_nodes, beside = problem.errors_by_defect(model)
    assert at_nodes < true / 10  # what is asked for by these weights it has
    assert 0.3 < beside / true < 3


def test_it_is_not_told_where_it_is_not_known(disk):
    steady = dtpinn.Poisson.from_solution(sine_cosine)
    own = {"laplacian": dtpinn.rbffd.laplacian(disk(0.2), order=3)}
    for problem in (
        dtpinn.discretize(steady, disk(0.2), operators=own),
        dtpinn.discretize(steady, disk(0.2), dtype=torch.float32),
    ):
        model = dtpinn.MLP(2, width=4, depth=1, seed=0, dtype=problem.dtype)
        assert problem.estimate(model).error is None
    problem = dtpinn.discretize(steady, disk(0.2))
    assert problem.estimate(problem.solve()).error is None  # values, not a model


TRAINED = {
    "harmonic": (dtpinn.Poisson(0.0, dtpinn.Dirichlet(lambda x, n: harmonic(x))), harmonic),
    "nonlinear": (dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp), sine_cosine),
}


@pytest.mark.parametrize("name", mostly_full(TRAINED, {"harmonic"}.__contains__))
def test_training_goes_on_below_the_floor(name, disk):
    pde, exact = TRAINED[name]
    nodes = dtpinn.place_nodes(SQUARE, spacing=0.12) if name == "harmonic" else disk(0.2)
    problem = dtpinn.discretize(pde, nodes, order=2)
    floor = relative_distance(problem.solve(), exact(problem.points))
    model = dtpinn.MLP(2, width=24, depth=1, seed=0)
    stages = ["gauss-newton", "defect-correction"]
    result = dtpinn.fit(model, problem, [30, 80], optimizer=stages, exact=exact)
    points = torch.from_numpy(between(nodes))
    assert result.relative_error(exact, points) < floor / 5
    assert result.distance > floor / 2  # as far from the discrete solution as the truth is
