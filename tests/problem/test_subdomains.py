"""Bodies of several materials: kinks and jumps at interfaces, held exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import dtpinn
from dtpinn import Dirichlet, Neumann
from dtpinn.geometry import Annulus, Disk, Interval, Rectangle, Subdomains
from dtpinn.pde import Piecewise, SameFlux, SameValue, Traction, Young, joints
from tests.answers.known.elastic import Symmetry
from tests.marks import mostly_full


def problem(body, k, outer, spacing, seed=0, times=None):
    nodes = dtpinn.place_nodes(body, spacing=spacing, seed=seed)
    pde = dtpinn.Poisson(None, outer | joints(body, k), conductivity=k)
    return dtpinn.discretize(pde, nodes, order=4, times=times)


def error(problem, exact):
    u, wanted = problem.solve(), exact(problem.points)
    return float((u - wanted).norm() / wanted.norm())


def composite_cylinder():
    """Glass around copper, 1.38 and 400 W/mK, hot inside: logarithms with one flux q / r."""
    a, b, c, glass, copper = 1.0, 1.5, 2.0, 1.38, 400.0
    body = Subdomains({"glass": Annulus(a, b), "copper": Annulus(b, c)})
    q = 1 / (math.log(b / a) / glass + math.log(c / b) / copper)
    exact = {
        "glass": lambda x: 1 - q * torch.log(x.norm(dim=1) / a) / glass,
        "copper": lambda x: q * torch.log(c / x.norm(dim=1)) / copper,
    }
    outer = {"glass.inner": Dirichlet(lambda x, n: torch.ones(len(x))), "copper.outer": Dirichlet()}
    return body, {"glass": glass, "copper": copper}, exact, outer


def fibre(inside):
    """A fibre in a uniform far field: uniform within, a dipole around it (Maxwell 1873)."""
    radius, strength = 0.5, (inside - 1) / (inside + 1)
    body = Subdomains({"fibre": Disk(radius), "matrix": Rectangle((-1, -1), (1, 1)) - Disk(radius)})
    exact = {
        "fibre": lambda x: 2 / (inside + 1) * x[:, 0],
        "matrix": lambda x: x[:, 0] * (1 - strength * radius**2 / x.square().sum(1)),
    }
    given = Dirichlet(lambda x, n: Piecewise(body, exact)(x))
    outer = {f"matrix.{side}": given for side in ("left", "right", "bottom", "top")}
    return body, {"fibre": inside, "matrix": 1.0}, exact, outer


def wall():
    """Two squares, of conductivity 1 + x and 20; the interface ends on an insulated boundary."""
    body = Subdomains({"a": Rectangle((0, 0), (1, 1)), "b": Rectangle((1, 0), (1.5, 1))})
    exact = {
        "a": lambda x: torch.log1p(x[:, 0]),
        "b": lambda x: math.log(2) + (x[:, 0] - 1) / 20,
    }
    given = Dirichlet(lambda x, n: Piecewise(body, exact)(x))
    outer = {f"{piece}.{side}": Neumann() for piece in "ab" for side in ("bottom", "top")}
    outer |= {"a.left": given, "b.right": given}
    return body, {"a": lambda x: 1 + x[:, 0], "b": 20.0}, exact, outer


# name -> the body; spacings; what the finer error is below
KNOWN = {
    "a composite cylinder": (composite_cylinder, (0.16, 0.08), 3e-3),
    "a fibre that conducts": (lambda: fibre(400 / 1.38), (0.12, 0.06), 3e-3),
    "a fibre that insulates": (lambda: fibre(1.38 / 400), (0.12, 0.06), 5e-3),
    "a wall": (wall, (0.12, 0.06), 1e-6),
}


@pytest.mark.filterwarnings("ignore::dtpinn.problem.trust.NotResolved")
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.full)])
@pytest.mark.parametrize(
    "name", mostly_full(KNOWN, {"a composite cylinder", "a wall"}.__contains__)
)
def test_closed_forms_across_an_interface(name, seed):
    make, spacings, within = KNOWN[name]
    body, k, exact, outer = make()
    k, exact = Piecewise(body, k), Piecewise(body, exact)
    found = [problem(body, k, outer, spacing, seed) for spacing in spacings]
    errors = [error(p, exact) for p in found]
    assert errors[1] < within
    assert errors[0] / errors[1] > 5  # 2^4 by the order
    comparison = found[1].compare(dtpinn.MLP(2, width=10, depth=2, seed=0))
    assert comparison.agrees, str(comparison)
    automatic = dtpinn.vanilla(found[0].pde, found[0].nodes).residuals(exact)
    assert max(float(r.detach().abs().max()) for r in automatic.values()) < 1e-10


def test_a_soft_ring_in_a_hard_one_under_pressure():
    """Lame's A r + B / r in each, plane strain; displacement and radial stress meet at 1.5."""
    nu, a, b, c = 0.3, 1.0, 1.5, 2.0
    pieces = {"soft": (a, b), "hard": (b, c)}
    body = Subdomains({n: Annulus(*r) & Rectangle((0, 0), (3, 3)) for n, r in pieces.items()})
    young = {"soft": 1.0, "hard": 10.0}
    material = Young(Piecewise(body, young), nu, "strain")
    (soft, soft_2), (hard, hard_2) = (
        (2 * sum(Young(E, nu, "strain").lame()), -2 * Young(E, nu, "strain").lame()[1])
        for E in young.values()
    )
    matrix = [
        [soft, soft_2 / a**2, 0, 0],
        [b, 1 / b, -b, -1 / b],
        [soft, soft_2 / b**2, -hard, -hard_2 / b**2],
        [0, 0, hard, hard_2 / c**2],
    ]
    A, B, C, D = np.linalg.solve(matrix, [-1.0, 0.0, 0.0, 0.0])
    exact = Piecewise(
        body,
        {
            "soft": lambda x: x * (A + B / x.square().sum(1, keepdim=True)),
            "hard": lambda x: x * (C + D / x.square().sum(1, keepdim=True)),
        },
    )
    cut = [f"{piece}.{side}" for piece in pieces for side in ("left", "bottom")]
    sides = {"soft.inner": Traction(material, lambda x, n: -n), "hard.outer": Traction(material)}
    sides |= dict.fromkeys(cut, Symmetry(material)) | joints(body, material)
    pde = dtpinn.LinearElasticity(None, sides, material=material)
    p = dtpinn.discretize(pde, dtpinn.place_nodes(body, spacing=0.07), order=4)
    assert error(p, exact) < 4e-3


def test_jumps_are_given_and_times_and_layers_are_many():
    """A film between two layers that resists (a jump of 2) and heats (by 3), settled in time.

    Layers of conductivity 1, 5 and 2 on (0, 1), (1, 2) and (2, 3), at 0 and 10 degrees.
    """
    body = Subdomains({n: Interval(k, k + 1) for k, n in enumerate("abc")})
    k = Piecewise(body, {"a": 1.0, "b": 5.0, "c": 2.0})
    ends = {
        "a.left": Dirichlet(),
        "c.right": Dirichlet(lambda x, n: torch.full((len(x),), 10.0)),
    }
    held = joints(body, k) | {
        "a|b": SameValue(body, "a", "b", lambda x, n: torch.full((len(x),), -2.0)),
        "b|a": SameFlux(body, "b", "a", k, lambda x, n: torch.full((len(x),), 3.0)),
    }
    pde = dtpinn.Poisson(None, ends | held, conductivity=k)
    nodes = dtpinn.place_nodes(body, spacing=0.05)
    p = dtpinn.discretize(pde, nodes)
    # u' = s, (s - 3) / 5, (s - 3) / 2, where n = -1 at the left end of b; s + 2 + ... = 10.
    s = (8 + 3 / 5 + 3 / 2) / (1 + 1 / 5 + 1 / 2)
    exact = Piecewise(
        body,
        {
            "a": lambda x: s * x[:, 0],
            "b": lambda x: s + 2 + (s - 3) / 5 * (x[:, 0] - 1),
            "c": lambda x: 10 + (s - 3) / 2 * (x[:, 0] - 3),
        },
    )
    assert (p.solve() - exact(p.points)).abs().max() < 1e-8


def test_a_wall_that_cools():
    """By a chosen solution with a kink, its source made by autograd piece by piece."""
    body = Subdomains({"a": Interval(0.0, 1.0), "b": Interval(1.0, 3.0)})
    k = Piecewise(body, {"a": 1.0, "b": 4.0})
    exact = Piecewise(
        body, {"a": lambda x: x[:, 0] ** 2, "b": lambda x: 1 + 0.5 * torch.sin(x[:, 0] - 1)}
    )
    ends = {"a.left": Dirichlet(), "b.right": Neumann()}
    pde = dtpinn.Heat.from_solution(
        lambda x, t: exact(x) * torch.exp(-t), boundary=ends | joints(body, k), diffusivity=k
    )
    nodes = dtpinn.place_nodes(body, spacing=0.05)
    p = dtpinn.discretize(pde, nodes, times=torch.linspace(0.0, 1.0, 3))
    wanted = exact(p.points[:, :1]) * torch.exp(-p.points[:, 1])
    assert (p.solve() - wanted).norm() < 1e-4 * wanted.norm()


@pytest.mark.parametrize(
    ("optimizer", "epochs"),
    [("gauss-newton", 30), pytest.param("lbfgs", 60, marks=pytest.mark.full)],
)
def test_one_network_learns_a_kink_and_the_conductivity_beside_it(optimizer, epochs):
    """Over pieces laid apart a smooth network has kinks; the unknown k is that of the brick."""
    body = Subdomains({"brick": Interval(0.0, 1.0), "wool": Interval(1.0, 2.0)})
    k = Piecewise(body, {"brick": nn.Parameter(torch.tensor(0.5)), "wool": 0.1})
    ends = {
        "brick.left": Dirichlet(lambda x, n: torch.full((len(x),), 1.0)),
        "wool.right": dtpinn.Robin(0.1, 0.0, lambda x, n: torch.full((len(x),), -0.08)),
    }

    class Measured(dtpinn.Poisson):
        def residual(self, u, D, x):
            flow = super().residual(u, D, x)
            wanted = Piecewise(
                body, {"brick": lambda x: 1 - 0.1 * x[:, 0], "wool": lambda x: 1.7 - 0.8 * x[:, 0]}
            )
            return torch.stack([flow, u - wanted(x)], dim=1)

    nodes = dtpinn.place_nodes(body, spacing=0.05)
    p = dtpinn.discretize(Measured(None, ends | joints(body, k), conductivity=k), nodes)
    model = dtpinn.MLP(1, width=8, depth=1, seed=0)
    dtpinn.fit(model, p, epochs=epochs, optimizer=optimizer)
    assert next(k.parameters()).item() == pytest.approx(0.8, rel=0.02)


def test_places_of_one_name_are_refused():
    class Nonlocal(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u)

        def boundary(self, u, D, x, n):
            return u - sum(D.at(lambda x, s=s: s * x).state[0] for s in (0.5, -0.5))

    nodes = dtpinn.place_nodes(Disk(), spacing=0.2)
    with pytest.raises(ValueError, match=r"D.at: two maps have the same name"):
        dtpinn.discretize(Nonlocal(), nodes)
    body = composite_cylinder()[0]
    with pytest.raises(ValueError, match=r"given for \['glass'\], but the pieces are"):
        Piecewise(body, {"glass": 1.0})


def test_a_contact_that_resists_is_written_by_hand():
    """Two unit rods of k = 1, and 2 W/m^2K between them: 1 / (1 + 1 / 2 + 1) flows through."""
    body = Subdomains({"a": Interval(0.0, 1.0), "b": Interval(1.0, 2.0)})
    beyond = SameValue(body, "a", "b").across

    class Contact(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u)

        def conditions(self):
            return {
                "a.left": lambda u, D, x, n: u,
                "a|b": lambda u, D, x, n: D.normal(u) - 2 * (D.at(beyond).state[0] - u),
                "b|a": SameFlux(body, "b", "a", 1.0),
                "b.right": lambda u, D, x, n: u - 1,
            }

    p = dtpinn.discretize(Contact(), dtpinn.place_nodes(body, spacing=0.05))
    u = p.interpolate(p.solve(), body.apart([[0.5], [1.5]]))
    assert torch.allclose(u, torch.tensor([0.2, 0.8]), atol=1e-9)
