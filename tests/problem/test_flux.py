"""Media that vary, and equations written as the divergence of a flux.

k Laplacian u stands for none of these: each answer here is one that it misses by per cents.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.geometry import Annulus, Disk, Interval, Rectangle
from dtpinn.pde import Dirichlet, Lame, LinearElasticity, NodalData, Robin, Traction, Young
from tests.answers.known.elastic import Symmetry
from tests.problem.parity import network

LINE = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.02)
DISK = dtpinn.place_nodes(Disk(), spacing=0.2)


def error(problem, exact, **options):
    u = problem.solve(**options)
    wanted = exact(problem.points)
    return float((u - wanted).norm() / wanted.norm())


class WithFlux(dtpinn.PDE):
    """div flux = source, with values given on the boundary."""

    def __init__(self, flux, values, source=0.0):
        super().__init__()
        self.flux, self.values, self.source = flux, values, source

    def residual(self, u, D, x):
        return D.divergence(self.flux) - self.source

    def boundary(self, u, D, x, n):
        return u - self.values(x)


# Answers from elsewhere


def test_a_rod_whose_conductivity_grows_with_the_temperature():
    """Kirchhoff: k0 (T - T0 + b/2 (T - T0)^2) is linear; heat comes in at the right at 5 kW/m^2.

    In SI units. The left end is at 293.15 K, and the right one gets 378.56 K; with k T'' = 0 in the
    place of (k T')' it would be 369.71 K.
    """
    k0, b, q, left = 50.0, 0.004, 5000.0, 293.15

    class Rod(dtpinn.PDE):
        def flux(self, u, D, x):
            return k0 * (1 + b * (u[:, None] - left)) * D.gradient(u)

        def residual(self, u, D, x):
            return D.divergence(self.flux)

        def conditions(self):
            return {
                "left": lambda u, D, x, n: u - left,
                "right": lambda u, D, x, n: (self.flux(u, D, x) * n).sum(1) - q,
            }

    def exact(x):
        return left + (torch.sqrt(1 + 2 * b * q * x[:, 0] / k0) - 1) / b

    problem = dtpinn.discretize(Rod(), LINE)
    u = problem.solve(guess=torch.full((LINE.count,), left))
    assert (u - exact(problem.points)).abs().max() < 1e-4
    assert problem.compare(exact).agrees
    assert float(u.max()) == pytest.approx(378.56, abs=0.01)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.full)])
def test_a_soap_film_between_two_rings_is_a_catenoid(seed):
    """div(grad u / sqrt(1 + |grad u|^2)) = 0 between r = 1.2 and r = 2: u = arcosh r."""

    def flux(u, D, x):
        slope = D.gradient(u)
        return slope / torch.sqrt(1 + slope.square().sum(1, keepdim=True))

    def film(x):
        return torch.arccosh(x.norm(dim=1))

    errors = []
    for spacing in (0.16, 0.08):
        nodes = dtpinn.place_nodes(Annulus(1.2, 2.0), spacing=spacing, seed=seed)
        errors.append(error(dtpinn.discretize(WithFlux(flux, film), nodes, order=4), film))
    assert errors[1] < 2e-4
    assert math.log2(errors[0] / errors[1]) > 3.0


@pytest.mark.parametrize("plane", ["stress", pytest.param("strain", marks=pytest.mark.full)])
def test_a_graded_ring_under_pressure(plane):
    """E = r^2, in plane stress: r^2 u'' + 3 r u' + (2 nu - 1) u = 0; Horgan and Chan (1999).

    In plane strain with nu / (1 - nu) and E / (1 - nu^2) for nu and E.
    """
    nu, grade, inner, outer = 0.3, 2.0, 1.0, 2.0
    ratio, stiffness = (nu, 1.0) if plane == "stress" else (nu / (1 - nu), 1 / (1 - nu**2))
    powers = np.roots([1.0, grade, grade * ratio - 1])
    stresses = [(powers + ratio) * r ** (powers - 1 + grade) for r in (inner, outer)]
    parts = np.linalg.solve(stiffness / (1 - ratio**2) * np.array(stresses), [-1.0, 0.0])

    def exact(x):
        r = x.norm(dim=1, keepdim=True)
        return sum(c * r**m for c, m in zip(parts, powers, strict=True)) * x / r

    material = Young(lambda x: x.square().sum(1) ** (grade / 2), nu, plane)

    sides = {"inner": Traction(material, lambda x, n: -n), "outer": Traction(material)}
    sides |= dict.fromkeys(("left", "bottom"), Symmetry(material))
    pde = LinearElasticity(None, sides, material=material)
    quarter = Annulus(inner, outer) & Rectangle((0, 0), (3, 3))
    problems = [
        dtpinn.discretize(pde, dtpinn.place_nodes(quarter, spacing=h), order=4)
        for h in (0.14, 0.07)
    ]
    errors = [error(problem, exact) for problem in problems]
    assert errors[1] < 6e-3
    assert errors[0] > 5 * errors[1]
    assert problems[0].compare(exact).agrees


# The vocabulary


def chemical(u, D, x):
    return u**3 - u - 0.01 * D.laplacian(u)


def steep(u, D, x):
    return u * D.partial(u, 0)


# A flux, and its divergence by hand.
BY_HAND = {
    "isotropic": (
        lambda u, D, x: torch.exp(x[:, :1]) * D.gradient(u),
        lambda u, D, x: torch.exp(x[:, 0]) * (D.laplacian(u) + D.partial(u, 0)),
    ),
    "of u, x and a function of u": (
        lambda u, D, x: u[:, None] * x * D.partial(lambda u, x: u**2, 0)[:, None],
        lambda u, D, x: (
            2 * u * D.partial(lambda u, x: u**2, 0)
            + (x * D.gradient(u)).sum(1) * D.partial(lambda u, x: u**2, 0)
            + u * x[:, 0] * D.partial(lambda u, x: u**2, 0, 0)
            + u * x[:, 1] * D.partial(lambda u, x: u**2, 0, 1)
        ),
    ),
    "of a flux": (  # Cahn and Hilliard's
        lambda u, D, x: D.gradient(chemical),
        lambda u, D, x: D.laplacian(lambda u, x: u**3 - u) - 0.01 * D.biharmonic(u),
    ),
    "a derivative of a flux": (
        lambda u, D, x: D.partial(steep, 1)[:, None] * torch.eye(2)[:1],
        lambda u, D, x: D.partial(lambda u, x: 0.5 * u**2, 0, 0, 1),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_chain_rule_is_the_one_by_hand(name):
    """By automatic differentiation to rounding, by matrices to the truncation error."""
    flux, divergence = BY_HAND[name]
    model, nodes = network(2, 1), dtpinn.place_nodes(Disk(), spacing=0.1)
    ours = WithFlux(flux, lambda x: 0.0)
    by_hand = WithFlux(flux, lambda x: 0.0)
    by_hand.residual = lambda u, D, x: divergence(u, D, x)
    pairs = [
        [dtpinn.vanilla(pde, nodes).residuals(model)["pde"] for pde in (ours, by_hand)],
        [dtpinn.discretize(pde, nodes, 4).residuals(model)["pde"] for pde in (ours, by_hand)],
    ]
    for (a, b), within in zip(pairs, (1e-12, 1e-2), strict=True):
        assert (a - b).abs().max() < within * b.abs().max()


def test_every_mode_and_the_gradients_of_training_agree():
    def flux(u, D, x):
        return (1 + x[:, :1] ** 2 + u[:, None] ** 2) * D.gradient(u)

    model, pde = network(2, 1), WithFlux(flux, lambda x: 0.0)
    losses = [dtpinn.vanilla(pde, DISK, mode=m).loss(model) for m in ("reverse", "forward")]
    slopes = [torch.autograd.grad(loss, list(model.parameters())) for loss in losses]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-12)
    for a, b in zip(*slopes, strict=True):
        assert torch.allclose(a, b, atol=1e-10)
    problem = dtpinn.discretize(pde, DISK)
    with torch.no_grad():
        assert not problem.residuals(model)["pde"].requires_grad


def test_a_system_has_one_divergence_for_each_flux():
    """Stress by the flux, and by the product rule that LinearElasticity has."""
    material = Lame(lambda x: 1 + x[:, 0] ** 2, lambda x: torch.exp(x[:, 1]))
    pde = LinearElasticity(None, Dirichlet(), material=material)
    other = WithFlux(lambda u, D, x: -material.stress(u, D), lambda x: 0.0)
    other.fields = 2
    model = network(2, 2)
    ours, wanted = (dtpinn.vanilla(p, DISK).residuals(model)["pde"] for p in (other, pde))
    assert torch.allclose(ours, wanted, atol=1e-12)


REFUSED = {
    "a component for each axis": (lambda u, D, x: D.laplacian(u), r"must be \(n, 2\)"),
    "rows": (lambda u, D, x: D.gradient(u)[:5], r"one row per point, 101, got \(5, 2\)"),
    "points apart": (lambda u, D, x: u.mean() * D.gradient(u), "flux must be pointwise"),
    "a normal": (lambda u, D, x: D.normal(u)[:, None] * x, "its part along the normal"),
    "a rate": (lambda u, D, x: D.time(u)[:, None] * x, "make it a field"),
    "a place": (lambda u, D, x: D.at(torch.neg).gradient(u), "not differentiated in a flux"),
    "arguments": (lambda u, D, x, t: D.gradient(u), r"calls it with \(u, D, x\)"),
    "out of torch": (
        lambda u, D, x: (1 + torch.from_numpy(x.detach().numpy()) ** 2) * D.gradient(u),
        "in a way that torch does not see",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("make", [dtpinn.discretize, dtpinn.vanilla])
def test_what_no_flux_can_be_is_told(case, make):
    flux, message = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=message):
        make(WithFlux(flux, lambda x: 0.0), DISK)


# Conductivities


def test_a_conductivity_is_a_coefficient_of_the_conditions_as_it_stands():
    """(1 + x) u' = 2 at the right end, of a rod that is at 0 at the left: u = 2 log(1 + x)."""

    def k(x):
        return 1 + x[:, 0]

    ends = {"left": Dirichlet(), "right": Robin(k, 0.0, lambda x, n: torch.full((len(x),), 2.0))}
    problem = dtpinn.discretize(dtpinn.Poisson(None, ends, conductivity=k), LINE)
    assert error(problem, lambda x: 2 * torch.log1p(x[:, 0])) < 1e-6


def test_values_at_nodes_are_a_conductivity_on_every_backend():
    nodes = dtpinn.place_nodes(Annulus(0.4, 1.0), spacing=0.06)
    x = torch.tensor(nodes.collocation)
    k = lambda x: 1 + x[:, 0] ** 2 + torch.sin(x[:, 1])  # noqa: E731
    exact = lambda x: torch.sin(x[:, 0]) * torch.cos(x[:, 1])  # noqa: E731
    smooth = dtpinn.Poisson.from_solution(exact, boundary=Dirichlet(), conductivity=k)
    nodal = dtpinn.Poisson(smooth.f, smooth.on[0], conductivity=NodalData(x, k(x)))
    assert error(dtpinn.discretize(nodal, nodes, order=4), exact) < 1e-4
    model = network(2, 1)
    a, b = (dtpinn.vanilla(pde, nodes).residuals(model)["pde"] for pde in (nodal, smooth))
    assert (a - b).abs().max() < 1e-2 * b.abs().max()


def test_conductivities_that_would_be_wrong_in_silence_are_told():
    def by_numpy(x):
        return torch.from_numpy(1 + x.detach().numpy()[:, 0] ** 2)

    for make in (dtpinn.discretize, dtpinn.vanilla):
        with pytest.raises(TypeError, match="torch does not see how"):
            make(dtpinn.Poisson(None, Dirichlet(), conductivity=by_numpy), DISK)
    two = dtpinn.Poisson(None, Dirichlet(), conductivity=lambda x: x)
    with pytest.raises(ValueError, match="one number per point"):
        dtpinn.discretize(two, DISK)
    insulated = dtpinn.Poisson(
        None, Dirichlet(), conductivity=lambda x: torch.where(x[:, 0] > 0.1, 1.38, 400.0)
    )
    with pytest.warns(UserWarning, match=r"conductivity: .*it jumps there"):
        dtpinn.discretize(insulated, DISK)


def test_what_brings_its_gradient_need_not_be_of_torch():
    class Table:
        def __call__(self, x):
            return torch.from_numpy(1 + x.detach().numpy()[:, 0])

        def gradient(self, x):
            return torch.ones_like(x)

    pde = dtpinn.Poisson(None, Dirichlet(lambda x, n: x[:, 0]), conductivity=Table())
    assert error(dtpinn.discretize(pde, LINE), lambda x: torch.log2(1 + x[:, 0])) < 1e-6


class Measured(dtpinn.Poisson):
    """And u is measured everywhere: log(1 + x)."""

    def residual(self, u, D, x):
        return torch.stack([super().residual(u, D, x), u - torch.log1p(x[:, 0])], dim=1)


@pytest.mark.parametrize(
    ("optimizer", "epochs"),
    [("gauss-newton", 12), pytest.param("lbfgs", 60, marks=pytest.mark.full)],
)
def test_a_network_as_conductivity_is_found_from_measurements(optimizer, epochs):
    """A rod through which 1 W/m^2 flows, at u = log(1 + x): k = 1 + x."""
    k = nn.Sequential(dtpinn.MLP(1, width=6, depth=1, seed=1), nn.Softplus())
    ends = {"left": Dirichlet(), "right": Robin(k, 0.0, lambda x, n: torch.ones(len(x)))}
    rod = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.05)
    problem = dtpinn.discretize(Measured(None, ends, conductivity=k), rod, order=4)
    model = dtpinn.MLP(1, width=8, depth=1, seed=0)
    dtpinn.fit(model, problem, epochs=epochs, optimizer=optimizer)
    x = problem.points
    assert (k(x).flatten() - 1 - x[:, 0]).abs().max() < 0.02


class Graded:
    """A conductivity that NumPy makes, with its gradient beside."""

    def __call__(self, x):
        return torch.from_numpy(1.0 + x.detach().numpy()[:, 0])

    def gradient(self, x):
        return torch.ones_like(x)


@pytest.mark.parametrize("k", [lambda x: 1 + x[:, 0], lambda x, t: 1 + x[:, 0], Graded()])
def test_a_diffusivity_of_the_place_alone_is_that_of_every_time(k):
    """Long after the start ((1 + x) u')' = -1 is left, u = log(1 + x) / log 2 - x."""
    rod = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    pde = dtpinn.Heat(1.0, dtpinn.Dirichlet(), diffusivity=k)
    problem = dtpinn.discretize(pde, rod, times=[0.0, 20.0])
    u, x = problem.solve(time_tolerance=1e-6).reshape(-1, 2)[:, 1], torch.tensor(rod.collocation)
    exact = torch.log1p(x[:, 0]) / math.log(2.0) - x[:, 0]
    assert (u - exact).abs().max() < 1e-6


def test_a_diffusivity_whose_gradient_torch_does_not_see_is_refused_in_time_too():
    rod = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.1)
    pde = dtpinn.Heat(1.0, dtpinn.Dirichlet(), diffusivity=lambda x, t: 1 + x.detach()[:, 0])
    with pytest.raises(TypeError, match="torch does not see how"):
        dtpinn.discretize(pde, rod, times=[0.0, 1.0])
