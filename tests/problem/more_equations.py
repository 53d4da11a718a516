"""Equations with a chosen solution, for every test that all of them have to pass.

The library's with every kind of condition, and some that are not in the library, all of them on a
ring with two named parts of the boundary; Poisson's equation also in the ball.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch

import dtpinn
from dtpinn.pde import Dirichlet, Neumann, Robin, Traction, Young, in_space_time
from tests.problem.equations import Elasticity, ReactionInTime

TIMES = torch.linspace(0.0, 0.6, 4, dtype=torch.float64)
PLATE = Young(2.5, 0.3, plane="stress")


def wave(x):
    return 1 + torch.sin(x[:, 0] + 0.5) * torch.cos(1.5 * x[:, 1]) * (1 + 0.1 * x[:, -1])


def two_waves(x):
    return torch.stack([wave(x), torch.exp(-0.5 * x[:, 0] * x[:, 1])], dim=1)


def fading(x, t):
    return 0.5 * wave(x) * torch.exp(-t) + 0.2 * x[:, 0] * torch.sin(3 * t)


def swinging(x, t):
    return 0.5 * wave(x) * torch.cos(2 * t) + 0.2 * x[:, 0] * torch.sin(3 * t)


def three_in_time(x, t):
    return torch.stack([swinging(x, t), fading(x, t), 0.3 * wave(x) * torch.cos(t)], dim=1)


class Burgers(dtpinn.PDE):
    """u_t + u u_x + u u_y = 0.1 Laplacian u.

    Not with Dirichlet conditions, for the sake of the direct solve: a ghost's value then hangs on
    the equation at its boundary node, and advection can cancel the diffusion that determines it.
    """

    def residual(self, u, D, x, t):
        steepening = u * D.gradient(u).sum(1)
        return D.time(u) + steepening - 0.1 * D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + u

    def initial(self, u, D, x):
        return u


class Telegraph(dtpinn.PDE):
    """u_tt + (u + u^2 / 4)_t + u^3 = Laplacian u, which leaves through an absorbing boundary."""

    def residual(self, u, D, x, t):
        damping = D.time(lambda u, x, t: u + 0.25 * u**2)
        return D.time(u, 2) + damping + u**3 - D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + D.time(u)

    def initial(self, u, D, x):
        """At the start a wave that moves to the left."""
        return torch.stack([u, D.time(u) - D.partial(u, 0)], dim=1)


class Thermoelastic(dtpinn.PDE):
    """A displacement with a second rate, a temperature with a first, and a stress with none."""

    fields = 3

    def residual(self, u, D, x, t):
        (_, T, s), L = u.unbind(1), D.laplacian(u)
        rate = D.time(u)
        swing = D.time(u, 2)[:, 0] - L[:, 0] + 0.5 * D.partial(u, 0)[:, 1]
        return torch.stack([swing, rate[:, 1] - L[:, 1] + 0.2 * rate[:, 0], s - L[:, 0] + T], 1)

    def boundary(self, u, D, x, n, t):
        return u[:, :2]

    def initial(self, u, D, x):
        return torch.stack([u[:, 0], u[:, 1], D.time(u)[:, 0]], dim=1)


class AdvectionDiffusion(dtpinn.PDE):
    """b . grad u = 0.2 Laplacian u with a wind that turns; fixed inside, free to leave outside."""

    def residual(self, u, D, x):
        wind = torch.stack([1 - x[:, 1], x[:, 0]], dim=1)
        return (wind * D.gradient(u)).sum(1) - 0.2 * D.laplacian(u)

    def conditions(self):
        return {"inner": lambda u, D, x, n: u, "outer": lambda u, D, x, n: D.normal(u)}


class Plate(dtpinn.PDE):
    """Laplacian^2 u = 0 in one field: two conditions at the boundary, as two equations there."""

    def residual(self, u, D, x):
        return D.biharmonic(u)

    def boundary(self, u, D, x, n):
        return torch.stack([u, D.normal(u)], dim=1)


class PlateInTwoFields(dtpinn.PDE):
    """Laplacian u = v, Laplacian v = 0: deflection and moment, which the direct solve can take."""

    fields = 2

    def residual(self, u, D, x):
        return D.laplacian(u) - torch.stack([u[:, 1], torch.zeros(len(x))], dim=1)

    def boundary(self, u, D, x, n):
        return torch.stack([u[:, 0], D.normal(u)[:, 0]], dim=1)


class MovingMedium(dtpinn.PDE):
    """u_t = div((1 + u^2) grad u - u w), by its flux, which vanishes outside; held inside."""

    def flux(self, u, D, x, t):
        wind = torch.stack([1 - x[:, 1], x[:, 0] * t], dim=1)
        return u[:, None] * wind - (1 + u[:, None] ** 2) * D.gradient(u)

    def residual(self, u, D, x, t):
        return D.time(u) + D.divergence(self.flux)

    def conditions(self):
        return {
            "inner": lambda u, D, x, n, t: u,
            "outer": lambda u, D, x, n, t: (self.flux(u, D, x, t) * n).sum(1),
        }

    def initial(self, u, D, x):
        return u


@dataclass(frozen=True)
class Case:
    """A PDE that `u` solves, on a ring or a ball."""

    pde: dtpinn.PDE
    u: Callable
    times: torch.Tensor | None = None
    domain: str = "ring"
    solvable: bool = True

    @property
    def order(self):
        """Of the discretisation that the tests use."""
        return 4 if self.domain == "ring" else 3

    def model(self, points):
        """The solution as a model takes its points."""
        return (self.u if self.times is None else in_space_time(self.u))(points)


# Conditions on the ring, without data; `slope` and `mixture` are an equation's own.
CONDITIONS = {
    "Dirichlet": lambda slope, mixture: Dirichlet(),
    "Neumann": lambda slope, mixture: slope(),
    "Robin": lambda slope, mixture: mixture(),
    "mixed": lambda slope, mixture: {"inner": slope(), "outer": Dirichlet()},
}
PLAIN = (Neumann, lambda: Robin(lambda x, n, *t: 1 + 0.5 * x[:, 0] * n[:, 0], 2.0))
TRACTION = (lambda: Traction(PLATE), lambda: Traction(PLATE, stiffness=lambda x, n: 2 + x[:, 1]))

# name -> equation, its coefficients, its solution, times, its own conditions
LIBRARY = {
    "Poisson": (dtpinn.Poisson, {}, wave, None, PLAIN),
    "nonlinear Poisson": (dtpinn.Poisson, {"reaction": torch.exp}, wave, None, PLAIN),
    "Helmholtz": (dtpinn.Helmholtz, {"wavenumber": lambda x: 2 + x[:, 0]}, wave, None, PLAIN),
    "elasticity": (dtpinn.LinearElasticity, {"material": PLATE}, two_waves, None, TRACTION),
    "heat": (dtpinn.Heat, {"diffusivity": 0.7}, fading, TIMES, PLAIN),
    "Allen-Cahn": (dtpinn.AllenCahn, {"epsilon": 0.5}, fading, TIMES, PLAIN),
    "wave": (dtpinn.Wave, {"speed": 1.3}, swinging, TIMES, PLAIN),
}
FREE = {("Poisson", "Neumann"), ("elasticity", "Neumann")}  # up to a constant, a rigid motion


def library_cases():
    for name, (equation, coefficients, u, times, own) in LIBRARY.items():
        for kind, condition in CONDITIONS.items():
            pde = equation.from_solution(u, boundary=condition(*own), **coefficients)
            solvable = (name, kind) not in FREE
            yield f"{name}, {kind}", Case(pde, u, times, solvable=solvable)


def varying(x, *t):
    return 1.5 + torch.sin(2 * x[:, 0] + x[:, 1]) * torch.cos(x[:, -1])


GRADED = Young(varying, 0.3, plane="strain")
HELD = {"outer": Dirichlet()}
# name -> equation, its coefficients, its solution, times, the condition on the inner side
VARYING = {
    "a conductivity": (dtpinn.Poisson, {"conductivity": varying}, wave, None, Robin(varying, 0)),
    "a diffusivity": (dtpinn.Heat, {"diffusivity": varying}, fading, TIMES, Robin(varying, 1)),
    "graded": (dtpinn.LinearElasticity, {"material": GRADED}, two_waves, None, Traction(GRADED)),
}


def varying_cases():
    for name, (equation, coefficients, u, times, inner) in VARYING.items():
        pde = equation.from_solution(u, boundary={"inner": inner} | HELD, **coefficients)
        yield name, Case(pde, u, times)


OWN = {
    **dict(varying_cases()),
    "a flux": Case(dtpinn.Manufactured(MovingMedium(), fading), fading, TIMES),
    "Burgers": Case(dtpinn.Manufactured(Burgers(), fading), fading, TIMES),
    "telegraph": Case(dtpinn.Manufactured(Telegraph(), swinging), swinging, TIMES),
    "thermoelastic": Case(
        dtpinn.Manufactured(Thermoelastic(), three_in_time), three_in_time, TIMES
    ),
    "advection-diffusion": Case(dtpinn.Manufactured(AdvectionDiffusion(), wave), wave),
    "biharmonic": Case(dtpinn.Manufactured(Plate(), wave), wave, solvable=False),
    "biharmonic in two fields": Case(dtpinn.Manufactured(PlateInTwoFields(), two_waves), two_waves),
    "every word, in time": Case(dtpinn.Manufactured(ReactionInTime(), fading), fading, TIMES),
    "every word, two fields": Case(dtpinn.Manufactured(Elasticity(), two_waves), two_waves),
    "Poisson in the ball": Case(dtpinn.Poisson.from_solution(wave), wave, domain="ball"),
}
CASES = {**dict(library_cases()), **OWN}


def tells_most(name):
    """Whether a case has what few others have; of the library's equations all conditions at once.

    Mixed are a slope of the equation's own and values; of mixtures Poisson's and elasticity's are
    the two kinds.
    """
    return name in OWN or name.endswith("mixed") or name in ("Poisson, Robin", "elasticity, Robin")


DOMAINS = {"ring": dtpinn.geometry.Annulus(0.4, 1.0), "ball": dtpinn.geometry.Ball()}
SPACINGS = {"ring": (0.12, 0.06), "ball": (0.24, 0.11)}


@cache
def clouds(domain):
    """A coarse and a fine set of nodes."""
    return [dtpinn.place_nodes(DOMAINS[domain], spacing=h) for h in SPACINGS[domain]]


def observed_order(domain, errors):
    """The power of the spacing with which two errors, the coarse one first, go down."""
    coarse, fine = SPACINGS[domain]
    return math.log(errors[0] / errors[1]) / math.log(coarse / fine)


def error_of_the_direct_solve(case, nodes, **options):
    """Relative l2 error on X, at all times if there are any."""
    problem = dtpinn.discretize(case.pde, nodes, case.order, times=case.times)
    u, exact = problem.solve(**options), case.model(problem.points)
    assert u.shape == exact.shape
    return float((u - exact).norm() / exact.norm())
