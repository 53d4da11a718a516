"""Data at points of their own: in the loss, in Gauss-Newton's Jacobian, and what they tell."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from torch import nn

import dtpinn
from dtpinn.operators import partial
from tests.marks import mostly_full

SEEN = np.array([[0.1, 0.2], [-0.4, 0.3], [0.5, -0.5]])


def zero(x, *n):
    return torch.zeros_like(x[:, 0])


class Membrane(dtpinn.PDE):
    """Lap u = s with an unknown load: u is s times (r^2 - 1) / 4."""

    def __init__(self, start=0.0):
        super().__init__()
        self.s = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def residual(self, u, D, x):
        return D.laplacian(u) - self.s

    def boundary(self, u, D, x, n):
        return u


class Cooling(Membrane):
    def residual(self, u, D, x, t):
        return D.time(u) - self.s * D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return D.normal(u)

    def initial(self, u, D, x):
        return u - x[:, 0]


def model_of(inputs, seed=0, width=8):
    return dtpinn.MLP(inputs, width=width, depth=1, seed=seed)


@pytest.mark.parametrize("make", [dtpinn.discretize, dtpinn.vanilla])
def test_misfits_are_what_the_model_says_less_the_values(make):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    data = [
        dtpinn.Data(SEEN, [1.0, 2.0, 3.0]),
        dtpinn.Data(SEEN, torch.zeros(3), of=partial(0), name="slope"),
        dtpinn.Data(SEEN, np.zeros((3, 2)), of=lambda u, D, x: D.gradient(u) * x),
        dtpinn.Data(SEEN, np.zeros(3), of=lambda u, x: u**2 + x[:, 1]),
    ]
    r = (
        make(Membrane(), nodes, order=2, data=data)
        if make is dtpinn.discretize
        else make(Membrane(), nodes, data=data)
    )
    found = r.residuals(lambda x: x[:, 0] ** 2)
    x, y = torch.tensor(SEEN).T
    assert list(found)[-4:] == ["data", "slope", "data.1", "data.2"]
    assert torch.allclose(found["data"], x**2 - torch.tensor([1.0, 2.0, 3.0]))
    assert torch.allclose(found["slope"], 2 * x)
    assert torch.allclose(found["data.1"], torch.stack([2 * x**2, 0 * x], dim=1))
    assert torch.allclose(found["data.2"], x**4 + y)


@pytest.mark.parametrize("make", [dtpinn.discretize, dtpinn.vanilla])
def test_the_jacobian_has_the_rows_of_data(make):
    """In space-time, with weights, derivatives and columns, against one backward pass for each."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0, 1), spacing=0.1)
    at = np.array([[0.15, 0.33], [0.4, 0.9], [0.72, 0.05]])
    data = [
        dtpinn.Data(at, [1.0, 2.0, 3.0], weight=[1.0, 4.0, 0.5]),
        dtpinn.Data(at, np.ones((3, 2)), of=lambda u, D, x, t: torch.stack([D.time(u), u**2], 1)),
    ]
    more = {"order": 2} if make is dtpinn.discretize else {}
    times = torch.linspace(0, 1, 3)
    problem = make(Cooling(0.3), nodes, times=times, data=data, **more)
    model = model_of(2)
    system = problem.least_squares(model)
    r, A = system.residual(), system.jacobian()
    assert float(r.square().sum()) == pytest.approx(float(problem.loss(model).detach()))
    few = torch.tensor([0, len(r) - 9, len(r) - 8, len(r) - 3, len(r) - 1])
    assert torch.allclose(system.jacobian(few), A[few])
    old = [p.detach().clone() for p in system.parameters]
    step = 1e-6 * torch.linspace(-1, 1, A.shape[1], dtype=torch.float64)
    moved = []
    for sign in (1, -1):
        first = 0
        for p, start in zip(system.parameters, old, strict=True):
            p.data = start + sign * step[first : first + p.numel()].reshape(p.shape)
            first += p.numel()
        moved.append(system.residual())
    change = (moved[0] - moved[1]) / 2
    assert torch.allclose(A @ step, change, atol=1e-6 * float(change.abs().max()))


@pytest.mark.parametrize(
    ("make", "optimizer", "epochs", "size"),
    [
        (dtpinn.discretize, "gauss-newton", 48, 2e-3),
        (dtpinn.discretize, "gauss-newton", 24, 1e-1),
        (dtpinn.discretize, "lbfgs", 16, 1e-2),
        (dtpinn.vanilla, "gauss-newton", 24, 1e-2),
    ],
)
def test_a_load_is_that_of_the_linear_fit_with_its_standard_error(make, optimizer, epochs, size):
    """The equation does not bend to the noise, of which nobody has told anything."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    points, response = ten_sensors()
    values = 2.0 * response + size * np.random.default_rng(3).standard_normal(10)
    by_hand, error, noise = linear_fit(response, values)
    problem = make(Membrane(), nodes, data=[dtpinn.Data(points, values)])
    result = dtpinn.fit(model_of(2, width=12), problem, epochs, optimizer=optimizer)
    assert result.coefficients["s"] == pytest.approx(by_hand, abs=0.25 * error)
    sure = result.uncertainty
    assert sure.noise["data"] == pytest.approx(noise, rel=0.1)
    assert sure.standard_errors["s"] == pytest.approx(error, rel=0.2)
    assert sure.of(lambda: 2 * problem.pde.s) == pytest.approx(
        2 * sure.standard_errors["s"], rel=1e-6
    )


def ten_sensors():
    """Points in the disk, and what a unit load makes of them."""
    points = 0.8 * np.stack([np.cos(np.arange(10.0)), np.sin(np.arange(10.0))], 1)
    points *= np.sqrt(np.random.default_rng(2).uniform(0.05, 1.0, (10, 1)))
    return points, ((points**2).sum(1) - 1) / 4


def linear_fit(response, values):
    """The factor, its standard error, and the noise that the misfits show."""
    factor = response @ values / (response @ response)
    noise = np.linalg.norm(values - factor * response) / np.sqrt(len(values) - 1)
    return factor, noise / np.linalg.norm(response), noise


def test_data_that_are_exact_keep_their_weight():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    points, response = ten_sensors()
    problem = dtpinn.discretize(Membrane(), nodes, data=[dtpinn.Data(points, 2.0 * response)])
    balanced = problem.weights
    result = dtpinn.fit(model_of(2, width=10), problem, 40, optimizer="gauss-newton")
    assert problem.weights == balanced
    assert result.coefficients["s"] == pytest.approx(2.0, abs=2e-3)


def test_sensors_of_known_noise_count_by_one_over_variance():
    """Two sets, and points within one, against weighted least squares; and a choice is a choice."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    points, response = ten_sensors()
    sigma = np.where(np.arange(10) < 5, 0.01, 0.1) * (1 + np.arange(10) % 2)
    values = 2.0 * response + sigma * np.random.default_rng(0).standard_normal(10)
    precision = response**2 / sigma**2
    by_hand, error = (response * values / sigma**2).sum() / precision.sum(), precision.sum() ** -0.5
    first, last = slice(0, 5), slice(5, 10)
    together = [dtpinn.Data(points, values, noise=sigma)]
    apart = [dtpinn.Data(points[k], values[k], noise=sigma[k]) for k in (first, last)]
    for data in (together, apart):
        problem = dtpinn.discretize(Membrane(), nodes, data=data)
        result = dtpinn.fit(model_of(2, width=10), problem, 20, optimizer="gauss-newton")
        assert result.coefficients["s"] == pytest.approx(by_hand, abs=0.5 * error)
        sure = result.uncertainty
        assert sure.standard_errors["s"] == pytest.approx(error, rel=0.15)
    assert sure.noise["data.1"] / sure.noise["data"] == pytest.approx(10.0, rel=0.3)
    problem.set_weights({"data": 2.0})
    asked = problem.weights
    dtpinn.fit(result.model, problem, 12, optimizer="gauss-newton")
    assert problem.weights == asked


def test_a_noise_that_misfits_belie_is_told():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    points, response = ten_sensors()
    values = 2.0 * response + 0.1 * np.random.default_rng(0).standard_normal(10)
    data = [dtpinn.Data(points, values, noise=0.001)]
    problem = dtpinn.discretize(Membrane(), nodes, data=data)
    result = dtpinn.fit(model_of(2), problem, 16, optimizer="gauss-newton")
    with pytest.warns(UserWarning, match=r"noise of 0\.\d+, and 0\.001 was given"):
        _ = result.uncertainty


def test_a_run_goes_on_with_what_it_knew_of_the_noise(tmp_path):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    points, response = ten_sensors()
    values = 2.0 * response + 0.05 * np.random.default_rng(0).standard_normal(10)
    data, kept = [dtpinn.Data(points, values)], tmp_path / "run.pt"
    whole = dtpinn.fit(
        model_of(2), dtpinn.discretize(Membrane(), nodes, data=data), 18, optimizer="gauss-newton"
    )
    assert whole.problem.adapted["data"] < 0.5
    for epochs in (8, 10, 18):  # at a look that finds the noise, between two, and beyond
        part = dtpinn.fit(
            model_of(2), dtpinn.discretize(Membrane(), nodes, data=data), epochs,
            optimizer="gauss-newton", checkpoint=kept, resume=kept if kept.exists() else None,
        )  # fmt: skip
    assert part.history[-1].loss == whole.history[-1].loss
    assert part.coefficients == whole.coefficients
    again = dtpinn.fit(model_of(2), whole.problem, 3, optimizer="gauss-newton")
    assert again.history[0].parts["data"] > 2 * whole.history[-1].parts["data"]


class Heated(Membrane):
    """u'' = f with an unknown f."""

    def __init__(self):
        super().__init__()
        self.s, self.source = None, dtpinn.MLP(1, width=8, depth=1, seed=1)

    def residual(self, u, D, x):
        return D.laplacian(u) - self.source(x)


def test_what_data_leave_open_is_as_smooth_as_it_was_said_to_be():
    """A source from three sensors: the Bayesian estimate on a grid, and its standard deviation."""
    x = np.linspace(0.0, 1.0, 201)
    inner, h = x[1:-1], x[1]
    green = np.where(
        inner < inner[:, None], inner * (1 - inner[:, None]), inner[:, None] * (1 - inner)
    )
    at, sigma, slope = [39, 99, 149], 0.002, 2.0
    rise = np.diff(np.eye(len(inner)), axis=0) / h * np.sqrt(h) / slope
    to_data = -green[at] * h
    seen = to_data @ (1.0 + inner) + sigma * np.array([0.5, -1.0, 0.7])
    precision = to_data.T @ to_data / sigma**2 + rise.T @ rise
    wanted = np.linalg.solve(precision, to_data.T @ seen / sigma**2)
    spread = np.sqrt(np.linalg.inv(precision).diagonal())

    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0, 1), spacing=0.08)
    pde = Heated()
    source = pde.source
    known = [
        dtpinn.Data(inner[at][:, None], seen, noise=sigma),
        dtpinn.Smooth(source, slope=slope),
    ]
    problem = dtpinn.discretize(pde, nodes, data=known)
    result = dtpinn.fit(model_of(1, width=8), problem, 24, optimizer="gauss-newton")
    some = [19, 59, 99, 139, 179]
    places = torch.tensor(inner[some][:, None])
    found = source(places).detach().numpy()
    assert (np.abs(found - wanted[some]) < 0.4 * spread[some]).all()
    assert result.uncertainty.of(lambda: source(places)).numpy() == pytest.approx(
        spread[some],
        rel=0.6,  # eight neurons are not as rough as a prior of slopes is
    )
    with pytest.raises(ValueError, match="goes with data"):
        dtpinn.discretize(pde, nodes, data=known[1:])


def test_a_direct_solve_does_without_them_and_a_copy_keeps_them():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    data = [dtpinn.Data(SEEN, [5.0, 5.0, 5.0])]
    problem = dtpinn.discretize(Membrane(4.0), nodes, 3, data=data)
    r = problem.points.square().sum(dim=1)
    assert (problem.solve() - (r - 1)).abs().max() < 1e-8
    assert problem.with_order(2).names == problem.names == ["pde", "boundary", "data"]
    assert "3 data" in str(problem.describe())
    single = problem.to(torch.float32)
    assert single.residuals(model_of(2).to(torch.float32))["data"].dtype == torch.float32


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (dtpinn.Data(SEEN, [1.0]), "a value for each of 3"),
        (dtpinn.Data([[0.0]], [1.0]), r"shape \(m, 2\)"),
        (dtpinn.Data(SEEN, [1.0, np.nan, 1.0]), "finite"),
        (dtpinn.Data(SEEN, np.zeros(3), weight=-1.0), "at least 0"),
        (dtpinn.Data(SEEN, np.zeros(3), noise=[0.0, 1.0, 1.0]), "above 0, or 0 for values that"),
        (dtpinn.Data(SEEN, np.zeros(3), noise=np.ones(2)), r"a number or 3.*got shape \(2,\)"),
        (dtpinn.Data(SEEN, np.zeros(3), noise=1.0, weight=1.0), "the noise or a weight"),
        (dtpinn.Data(SEEN, np.zeros(3), field=1), "has 1 field"),
        (dtpinn.Data(SEEN, np.zeros(3), of=lambda u, D, x: D.normal(u)), "no normal inside"),
        (SEEN, "expected dtpinn.Data"),
    ],
)
def test_what_is_no_datum_is_refused_at_the_door(data, message):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    with pytest.raises((TypeError, ValueError), match=message):
        dtpinn.discretize(Membrane(), nodes, 2, data=[data])


@pytest.mark.parametrize("noise", mostly_full([1e-2, 1e-1], lambda noise: noise == 1e-2))
def test_a_coefficient_and_its_error_are_those_of_least_squares(noise):
    """Draw for draw, with the equation's solution in closed form; nothing is told of the noise.

    So intervals hold the truth as often as least squares' own: of 40 draws 26 within one standard
    error and 39 within two.
    """
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0, 1), spacing=0.05)
    x, rng = np.linspace(0.05, 0.95, 10), np.random.default_rng(1)

    def exact(k, left):
        root = np.sqrt(k)
        return (left * np.sinh(root * (1 - x)) + np.sinh(root * x)) / np.sinh(root)

    for draw in range(2):
        seen = exact(3.0, 2.0) + noise * rng.standard_normal(10)
        by_hand = least_squares(lambda c, seen=seen: exact(*c) - seen, [3.0, 2.0])
        variance = 2 * by_hand.cost / 8 * np.linalg.inv(by_hand.jac.T @ by_hand.jac)[0, 0]
        problem = dtpinn.discretize(Screened(), nodes, data=[dtpinn.Data(x[:, None], seen)])
        result = dtpinn.fit(model_of(1, draw), problem, epochs=40, optimizer="gauss-newton")
        error = result.uncertainty.standard_errors["k"]
        assert error == pytest.approx(np.sqrt(variance), rel=0.1)
        assert result.coefficients["k"] == pytest.approx(by_hand.x[0], abs=0.2 * error)


class Screened(dtpinn.PDE):
    """u'' = k u, with an unknown k and an unknown value at the left end."""

    def __init__(self):
        super().__init__()
        self.k = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
        self.left = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def residual(self, u, D, x):
        return D.laplacian(u) - self.k * u

    def boundary(self, u, D, x, n):
        return u - torch.where(x[:, 0] < 0.5, self.left, 1.0)


def test_data_lie_where_the_equation_holds():
    ring = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0, periodic=True), spacing=0.05)
    pde = dtpinn.Helmholtz(0.0, wavenumber=1.0)
    wave = lambda x: torch.sin(2 * torch.pi * x[:, 0])  # noqa: E731
    again = dtpinn.Data([[1.1], [-0.7]], wave(torch.tensor([[0.1], [0.3]])))
    # A network that does not know of the period is asked within it.
    problem = dtpinn.discretize(pde, ring, data=[again])
    assert problem.residuals(wave)["data"].abs().max() < 1e-6
    line = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    with pytest.raises(ValueError, match=r"1 points lie outside the domain, the first at \[1.5\]"):
        dtpinn.discretize(
            dtpinn.Poisson(0.0, dtpinn.Dirichlet()), line, data=[dtpinn.Data([[1.5]], [0.0])]
        )
    with pytest.raises(ValueError, match=r"times must lie between 0 and 1, .* got 1\.5"):
        dtpinn.discretize(
            dtpinn.Heat(0.0, dtpinn.Dirichlet()), line, times=[0.0, 1.0],
            data=[dtpinn.Data([[0.5, 1.5]], [0.0])],
        )  # fmt: skip


def test_pieces_of_a_body_that_are_periodic_are_refused():
    ring = dtpinn.geometry.Rectangle(periodic=(True, False))
    with pytest.raises(ValueError, match="cannot be periodic"):
        dtpinn.geometry.Subdomains({"a": ring, "b": ring.translate((0.0, 1.0))})
