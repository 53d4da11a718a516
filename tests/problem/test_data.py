"""Data at points of their own: in the loss, in Gauss-Newton's Jacobian, and what they tell."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.operators import partial

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
    ("make", "optimizer", "epochs"),
    [
        (dtpinn.discretize, "gauss-newton", 40),
        (dtpinn.discretize, "lbfgs", 15),
        (dtpinn.vanilla, "gauss-newton", 40),
    ],
)
def test_a_load_is_found_with_the_standard_error_of_its_linear_fit(make, optimizer, epochs):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    rng = np.random.default_rng(2)
    points = 0.8 * np.stack([np.cos(np.arange(10.0)), np.sin(np.arange(10.0))], 1)
    points *= np.sqrt(rng.uniform(0.05, 1.0, (10, 1)))
    response = ((points**2).sum(1) - 1) / 4
    values = 2.0 * response + 0.005 * rng.standard_normal(10)
    problem = make(Membrane(), nodes, data=[dtpinn.Data(points, values)])
    result = dtpinn.fit(model_of(2, width=10), problem, epochs, optimizer=optimizer)
    by_hand = response @ values / (response @ response)
    misfit = values - by_hand * response
    noise = np.sqrt(misfit @ misfit / 9)
    error = noise / np.sqrt(response @ response)
    assert result.coefficients["s"] == pytest.approx(by_hand, abs=error)
    if optimizer == "gauss-newton":
        sure = result.uncertainty
        assert sure.noise["data"] == pytest.approx(noise, rel=0.15)
        assert sure.standard_errors["s"] == pytest.approx(error, rel=0.2)
        assert sure.of(lambda: 2 * problem.pde.s) == pytest.approx(
            2 * sure.standard_errors["s"], rel=1e-6
        )


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
        (dtpinn.Data(SEEN, np.zeros(3), field=1), "has 1 field"),
        (dtpinn.Data(SEEN, np.zeros(3), of=lambda u, D, x: D.normal(u)), "no normal inside"),
        (SEEN, "expected dtpinn.Data"),
    ],
)
def test_what_is_no_datum_is_refused_at_the_door(data, message):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    with pytest.raises((TypeError, ValueError), match=message):
        dtpinn.discretize(Membrane(), nodes, 2, data=[data])


@pytest.mark.full
def test_intervals_of_two_standard_errors_hold_the_truth():
    """Of 40 draws of the noise, 95% on average; the spread is what the error says."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0, 1), spacing=0.05)
    x, rng = np.linspace(0.05, 0.95, 10), np.random.default_rng(1)
    root = np.sqrt(3.0)
    exact = (2 * np.sinh(root * (1 - x)) + np.sinh(root * x)) / np.sinh(root)
    pde, model, found = Screened(), model_of(1), []
    for draw in range(41):
        seen = exact + 0.02 * rng.standard_normal(10) * (draw > 0)
        problem = dtpinn.discretize(pde, nodes, data=[dtpinn.Data(x[:, None], seen)])
        result = dtpinn.fit(model, problem, epochs=12 if draw else 40, optimizer="gauss-newton")
        found.append((result.coefficients["k"], result.uncertainty.standard_errors["k"]))
    k, error = np.array(found[1:]).T
    assert np.mean(np.abs(k - 3.0) < 2 * error) >= 0.85
    assert 0.7 < np.std(k) / np.sqrt(np.mean(error**2)) < 1.4


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
