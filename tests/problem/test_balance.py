"""The weights of the loss: each residual by its own size."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import dtpinn
from bench.unlike import UNLIKE
from dtpinn.geometry import Rectangle

L, H = 2.0, 0.2


@pytest.fixture(scope="module")
def square():
    return dtpinn.place_nodes(Rectangle((0, 0), (L, L)), spacing=H, seed=0)


def on(**sides):
    rest = dict.fromkeys(("left", "right", "top", "bottom"), dtpinn.Dirichlet())
    return {**rest, **sides}


def test_the_weights_are_those_of_a_wave_in_the_middle(square):
    """For a Laplacian beside u = g it is (h L / pi)^2, in the middle of the plateau."""
    sides = on(right=dtpinn.Robin(3.0, 5.0), top=dtpinn.Neumann(lambda x, n: 1.0 + x[:, 0]))
    k = math.sqrt(math.pi / (L * H))
    for build in (dtpinn.discretize, dtpinn.vanilla):
        weights = build(dtpinn.Poisson(lambda x: x[:, 0], sides), square).weights
        value = weights["boundary.left"]
        wanted = {
            "pde": (H * L / math.pi) ** 2, "boundary.right": (3.0 * k + 5.0) ** -2.0,
            "boundary.top": k**-2.0, "boundary.bottom": 1.0,
        }  # fmt: skip
        for name, weight in wanted.items():
            assert weights[name] / value == pytest.approx(weight), name


def test_an_equation_with_a_rate_is_weighed_over_the_whole_duration(square):
    times, diffusivity = torch.linspace(0.0, 3.0, 7), 0.1
    sides = dtpinn.Robin(0.5, 1.0, lambda x, n, t: t)
    pde = dtpinn.Heat(None, sides, lambda x: x[:, 0], diffusivity)
    weights = dtpinn.discretize(pde, square, times=times).weights
    size = 1.0 / 3.0 + diffusivity * (math.pi / L) ** 2
    assert weights["pde"] / weights["initial"] == pytest.approx(size**-2.0)
    size = 1.0 + 0.5 * math.sqrt(math.pi / (L * H))
    assert weights["boundary"] / weights["initial"] == pytest.approx(size**-2.0)


def test_the_equations_of_a_system_are_weighed_one_by_one(square):
    class Unlike(dtpinn.PDE):
        fields = 2

        def residual(self, u, D, x):
            second = D.laplacian(u)
            return torch.stack([second[:, 0] - 1.0, 1e8 * second[:, 1] - 1.0], dim=1)

        def boundary(self, u, D, x, n):
            return u

    problem = dtpinn.discretize(Unlike(), square)
    first, second = problem.weights["pde"]
    unit = problem.scales.unit
    assert unit[0] / unit[1] == pytest.approx(1e8)
    assert first == pytest.approx(second)  # each by its data, which are the same
    r = {name: torch.ones_like(r) for name, r in problem.residuals(lambda x: 0 * x).items()}
    assert problem.loss_parts(r)["pde"].item() == pytest.approx(first + second)


def test_slopes_of_a_nonlinear_equation_are_those_at_the_size_of_the_solution(square):
    """u u_x: nothing at u = 0, and 7 k at u = 7."""

    class Burgers(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.partial(lambda u, x: u**2 / 2, 0)

        def boundary(self, u, D, x, n):
            return u - 7.0 * torch.sign(x[:, 0] - 1.0)

    problem = dtpinn.discretize(Burgers(), square)
    assert problem.scales.unit == pytest.approx(7.0, rel=0.05)
    k = math.sqrt(math.pi / (L * H)) / math.sqrt(2.0)
    size = (problem.scales.centre + problem.scales.unit).item() * k
    assert problem.weights["pde"] / problem.weights["boundary"] == pytest.approx(size**-2.0)


def test_centre_and_size_are_those_of_the_data(square):
    """300 K and half a kelvin; a load that bends by f / k^2."""
    warm = dtpinn.Dirichlet(lambda x, n: 300.0 + 0.5 * torch.cos(math.pi * x[:, 0] / L))
    scales = dtpinn.discretize(dtpinn.Poisson(None, warm), square).scales
    assert scales.centre == pytest.approx(300.0, abs=0.1)
    assert 0.3 < scales.unit.item() < 0.6
    even = dtpinn.Dirichlet(lambda x, n: 300.0 + 0.0 * x[:, 0])
    scales = dtpinn.discretize(dtpinn.Poisson(None, even), square).scales
    assert scales.centre == pytest.approx(300.0)
    assert scales.unit == pytest.approx(300.0)  # nothing else is known of it
    loaded = dtpinn.discretize(dtpinn.Poisson(lambda x: 8.0 + 0 * x[:, 0], on()), square).scales
    assert loaded.centre == pytest.approx(0.0)
    assert loaded.unit == pytest.approx(8.0 * (L / math.pi) ** 2)


def test_a_displacement_has_its_size_from_the_temperature_that_causes_it(square):
    class Expansion(dtpinn.PDE):
        fields = 2

        def residual(self, u, D, x):
            strain = 2e11 * (D.laplacian(u)[:, 0] - 1e-5 * D.partial(u, 0)[:, 1])
            return torch.stack([strain, D.laplacian(u)[:, 1]], dim=1)

        def boundary(self, u, D, x, n):
            return torch.stack([u[:, 0], u[:, 1] - 100.0 * x[:, 0] / L], dim=1)

    displacement, temperature = dtpinn.discretize(Expansion(), square).scales.unit
    assert 10.0 < temperature < 1000.0
    assert 0.05 < displacement / (1e-5 * temperature * L / math.pi) < 20.0


def test_choices_of_the_user(square):
    pde = dtpinn.Poisson(lambda x: x[:, 0], on())
    balanced = dtpinn.discretize(pde, square).weights
    chosen = dtpinn.discretize(
        pde, square, weights={"pde": 0.01, "boundary": 3.0, "boundary.top": 0.0}
    )
    multiples = {name: chosen.weights[name] / balanced[name] for name in balanced}
    wanted = dict.fromkeys(balanced, 3.0) | {"pde": 0.01, "boundary.top": 0.0}
    assert multiples == pytest.approx(wanted)
    assert chosen.with_order(5).weights == chosen.weights
    assert set(dtpinn.vanilla(pde, square, weights="equal").weights.values()) == {1.0}
    for weights, error in (
        ({"pdf": 1.0}, "no residual 'pdf'; there are pde, boundary.left"),
        ({"pde": -1.0}, "at least 0"), ({"pde": np.inf}, "at least 0"), ("best", "balanced"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=error):
            dtpinn.discretize(pde, square, weights=weights)
    with pytest.raises(TypeError, match="float"):
        dtpinn.discretize(pde, square, weights=0.1)
    assert "weight" in str(chosen.describe())


def test_weights_stay_while_coefficients_are_learnt(square):
    k = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    pde = dtpinn.Poisson(lambda x: x[:, 0], on(left=dtpinn.Robin(k, 1.0)))
    problem = dtpinn.discretize(pde, square)
    before = problem.weights
    with torch.no_grad():
        k.mul_(10.0)
    assert problem.weights == before
    assert dtpinn.discretize(pde, square).weights["boundary.left"] < 0.1 * before["boundary.left"]


def test_pascals_do_not_overflow_single_precision(square):
    pde = dtpinn.Poisson(lambda x: 1e21 * x[:, 0], on())
    problem = dtpinn.discretize(pde, square, dtype=torch.float32)
    model = dtpinn.MLP(2, width=8, depth=1, seed=0, dtype=torch.float32)
    result = dtpinn.fit(model, problem, 3, optimizer="gauss-newton")
    assert 0.0 < result.loss < 0.5 * result.history[0].loss < math.inf


@pytest.mark.full
@pytest.mark.parametrize("name", ["bent", "plate"])
def test_the_default_is_near_the_best_of_a_sweep(name):
    """A hundredth and a hundred times as much for the equation; all eleven: bench_balance.py."""
    errors = [UNLIKE[name].error({"pde": multiple})[0] for multiple in (0.01, 1.0, 100.0)]
    assert errors[1] < 2.0 * min(errors)
    assert errors[1] < 0.5 * max(errors)


def test_points_have_weights_of_their_own(square):
    pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2)
    problem = dtpinn.discretize(pde, square)
    model = dtpinn.MLP(2, width=4, depth=1, seed=0)
    r = {name: part.detach() for name, part in problem.residuals(model).items()}
    before = problem.loss_parts(r)
    weights = torch.linspace(0.0, 2.0, len(r["pde"]), dtype=torch.float64)
    problem.set_weights({"pde": weights.numpy(), "boundary": 2.0})
    after = problem.loss_parts(r)
    expected = before["pde"] * (weights * r["pde"] ** 2).sum() / (r["pde"] ** 2).sum()
    assert torch.allclose(after["pde"], expected)
    assert torch.allclose(after["boundary"], 2 * before["boundary"])
    rows = problem.least_squares(model).residual()
    assert torch.allclose(rows.square().sum(), problem.loss(model).detach())
    for wrong in (torch.ones(3), -weights):
        with pytest.raises(ValueError, match="numbers of at least 0"):
            problem.set_weights({"pde": wrong})


def test_adaptive_weights_let_all_residuals_decay_at_one_rate(square, tmp_path):
    """Of the Jacobian's rows the mean squares agree, and a run goes on with the weights it had."""
    pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2)
    problem = dtpinn.discretize(pde, square, weights="adaptive")
    assert problem.weights == dtpinn.discretize(pde, square).weights
    model = dtpinn.MLP(2, width=20, depth=1, seed=0)
    problem.adapt(model)
    system = problem.least_squares(model)
    system.residual()
    rates = [rows.square().sum() for rows in system.jacobian().split(system.sizes)]
    assert float(max(rates) / min(rates)) < 3.0
    kept = tmp_path / "run.pt"
    fitted = dtpinn.fit(model, problem, 2, checkpoint=kept)
    again = dtpinn.discretize(pde, square, weights="adaptive")
    other = dtpinn.MLP(2, width=20, depth=1, seed=1)
    resumed = dtpinn.fit(other, again, 3, resume=kept)
    assert again.weights == problem.weights
    assert resumed.history[0].loss == fitted.history[0].loss
