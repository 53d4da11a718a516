"""A problem in other units is the same problem: solved, weighed, trained and judged alike."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Disk, Rectangle
from dtpinn.pde import Young
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem import integrate
from dtpinn.problem.direct import newton, radau
from dtpinn.problem.direct.factorise import factorise
from tests.marks import mostly_full
from tests.problem.other_units import InUnits, InUnitsAndTime

# Powers of two, near 1e-5 and 1e3: so the very same nodes are neighbours, where on a grid rounding
# would choose among equally near ones. Other units may be any.
SMALL, LARGE = 2.0**-17, 2.0**10


class Mixed(dtpinn.Poisson):
    """All kinds of conditions on a square, with a nonlinear reaction."""

    def __init__(self):
        super().__init__(
            lambda x: torch.sin(3.0 * x[:, 0]),
            {
                "left": dtpinn.Dirichlet(lambda x, n: 2.0 + x[:, 1]),
                "right": dtpinn.Robin(1.0, 2.0, lambda x, n: x[:, 1]),
                "top": dtpinn.Neumann(lambda x, n: torch.cos(x[:, 0])),
                "bottom": dtpinn.Neumann(),
            },
            reaction=lambda u: 0.1 * u**3,
        )


class Deflection(dtpinn.PDE):
    """Two fields that have different units: a deflection and its curvature."""

    fields = 2

    def residual(self, u, D, x):
        second = D.laplacian(u)
        return torch.stack([second[:, 0] - u[:, 1], second[:, 1] - 1.0 - x[:, 0]], dim=1)

    def boundary(self, u, D, x, n):
        return torch.stack([u[:, 0], D.normal(u)[:, 0]], dim=1)


class Storage(dtpinn.PDE):
    """Heat with a storage that depends on it, in space-time."""

    def residual(self, u, D, x, t):
        return D.time(lambda u, x, t: u + 0.1 * u**2) - D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + 0.5 * u - t

    def initial(self, u, D, x):
        return u - torch.cos(x[:, 0])


class Reacting(dtpinn.PDE):
    """Two substances in space-time, one of which is made of the other, and soon used up."""

    fields = 2

    def residual(self, u, D, x, t):
        made = torch.stack([-u[:, 0] * (u[:, 1] + 30.0), 0.1 * u[:, 0] ** 2], dim=1)
        return D.time(u) - 0.3 * D.laplacian(u) - made

    def boundary(self, u, D, x, n, t):
        return D.normal(u) + 0.5 * u

    def initial(self, u, D, x):
        return u - torch.stack([torch.cos(x[:, 0]), torch.exp(x[:, 1])], dim=1)


TIMES = np.linspace(0.0, 0.5, 4)
TWINS = {
    "mixed": (Mixed, lambda L: Rectangle((0, 0), (L, L)), None, (3.7e-6, 2.1e11)),
    "Robin": (
        lambda: dtpinn.Poisson.from_solution(sine_cosine), Disk, None, (300.0, 1e-9),
    ),
    "two fields": (Deflection, Disk, None, ([2.3e-6, 7.1e9], [1e5, 3e-7])),
    "in time": (Storage, Disk, TIMES, (5e4, 3e-8)),
    "reacting": (Reacting, Disk, TIMES, ([3e-6, 4e8], [1e7, 2e-5])),
}  # fmt: skip


def make(name, length, *, twin=False, build=dtpinn.discretize, **options):
    """The problem and its twin's units, on the same nodes but for their scale."""
    pde, domain, times, (unknown, equation) = TWINS[name]
    duration = 3e9 if length > 1.0 else 2e-7
    if twin:
        unknown, equation = np.ones_like(unknown), np.ones_like(equation)
        length, duration = 1.0, 1.0
    nodes = dtpinn.place_nodes(domain(length), spacing=0.2 * length, seed=0)
    units = {"length": length, "unknown": unknown, "equation": equation, "time": duration}
    wrapped = (InUnits if times is None else InUnitsAndTime)(pde(), **units)
    times = None if times is None else torch.tensor(times * duration)
    return build(wrapped, nodes, times=times, **options), torch.as_tensor(unknown)


def distance(a, b):
    return float((a - b).abs().max() / b.abs().max())


@pytest.mark.parametrize("length", mostly_full([SMALL, LARGE], {SMALL}.__contains__))
@pytest.mark.parametrize("name", TWINS)
def test_the_solution_has_the_digits_of_its_twin(name, length):
    problem, unknown = make(name, length)
    twin, _ = make(name, 1.0, twin=True)
    # The same steps in time, however coarse: a loose tolerance tells as much.
    in_time = {} if problem.times is None else {"time_tolerance": 1e-3}
    assert distance(problem.solve(**in_time) / unknown, twin.solve(**in_time)) < 1e-9


@pytest.mark.parametrize("name", ["mixed", "reacting"])
def test_the_way_to_the_solution_is_the_twins(name, monkeypatch):
    """As many steps of Newton, and as many in time: norms of mixed units would tell otherwise."""
    made = []

    def counted(matrix, remedy):
        made[-1] += 1
        return factorise(matrix, remedy)

    for module in (newton, radau):
        monkeypatch.setattr(module, "factorise", counted)
    steps = []
    for is_twin in (False, True):
        made.append(0)
        problem, _ = make(name, SMALL, twin=is_twin)
        steps.append(
            problem.solve().isfinite().all()
            if name == "mixed"
            else integrate(problem, time_tolerance=1e-4).steps
        )
    assert made[0] == made[1] > 1
    assert steps[0] == steps[1]


@pytest.mark.parametrize("build", [dtpinn.discretize, dtpinn.vanilla])
@pytest.mark.parametrize("name", TWINS)
def test_loss_and_scales_are_those_of_the_twin(name, build):
    problem, unknown = make(name, SMALL, build=build)
    twin, _ = make(name, 1.0, twin=True, build=build)
    assert np.allclose(problem.scales.unit / unknown.numpy(), twin.scales.unit, rtol=1e-9)
    assert np.allclose(
        problem.scales.centre / unknown.numpy(), twin.scales.centre, rtol=1e-9, atol=1e-9
    )
    points = torch.cat([p.max(dim=0).values[None] for p in (problem.points, twin.points)])
    ratio = points[0] / points[1]

    def wave(x):
        u = torch.sin(2.0 * x[:, 0]) + x[:, 1]
        u = u * (1.0 + x[:, -1])
        return u if unknown.dim() == 0 else torch.stack([u, 2.0 * u + 1.0], dim=1)

    parts = problem.loss_parts(problem.residuals(lambda x: unknown * wave(x / ratio)))
    wanted = twin.loss_parts(twin.residuals(wave))
    for part, value in parts.items():
        assert value.item() == pytest.approx(wanted[part].item(), rel=1e-7), part


@pytest.mark.parametrize(
    ("name", "optimizer"),
    mostly_full(
        product(["mixed", "two fields", "in time"], ["lbfgs", "gauss-newton"]),
        {("mixed", "lbfgs"), ("two fields", "gauss-newton")}.__contains__,
    ),
)
def test_training_goes_the_way_of_the_twin(name, optimizer):
    """To what rounding leaves of it after some steps, each of which multiplies its effect."""
    epochs = {"lbfgs": 1, "gauss-newton": 3}[optimizer]  # of 20 iterations, of one
    values, losses, judged = [], [], []
    for is_twin in (False, True):
        problem, unknown = make(name, SMALL, twin=is_twin)
        inputs = problem.points.shape[1]
        model = dtpinn.MLP(inputs, width=8, depth=1, fields=problem.pde.fields, seed=0)
        result = dtpinn.fit(model, problem, epochs, optimizer=optimizer, every=1)
        losses.append(result.history.column("loss"))
        values.append(model(problem.points).detach() / unknown)
        judged.append(result.distance)
    assert losses[0][-1] < 0.9 * losses[0][0]
    assert np.allclose(losses[0], losses[1], rtol=1e-5)
    assert distance(*values) < 1e-5
    assert judged[0] == judged[1] or judged[0] == pytest.approx(judged[1], rel=1e-4)


def test_estimate_and_comparison_do_not_know_the_units():
    def model(x):
        return torch.stack([torch.sin(x[:, 0]) * x[:, 1], 0.1 + torch.cos(x[:, 0])], dim=1)

    told = []
    for is_twin in (False, True):
        problem, unknown = make("two fields", SMALL, twin=is_twin)
        length = 1.0 if is_twin else SMALL
        ours = lambda x, L=length, unknown=unknown: unknown * model(x / L)  # noqa: E731
        estimate, parts = problem.estimate(ours), problem.compare(ours).parts
        told.append([estimate.distance, estimate.discretisation])
        told[-1] += [p.relative for p in parts] + [p.truncation for p in parts]
    assert np.allclose(told[0], told[1], rtol=1e-6)


def test_steel_bends_as_its_dimensionless_twin_does():
    """A console of a metre, loaded with a megapascal; displacements are micrometres."""

    def console(length, young):
        steel = Young(young, 0.3, plane="stress")
        pull = lambda x, n: 1e-5 * young * torch.stack([n[:, 0], 0.3 * n[:, 0]], dim=1)  # noqa: E731
        free = dtpinn.Traction(steel)
        on = {"left": dtpinn.Dirichlet(), "right": dtpinn.Traction(steel, pull)}
        on |= {"top": free, "bottom": free}
        nodes = dtpinn.place_nodes(Rectangle((0, 0), (2 * length, length)), length / 8, seed=0)
        pde = dtpinn.LinearElasticity(None, on, material=steel)
        return dtpinn.discretize(pde, nodes, order=3).solve() / length

    twin = console(1.0, 1.0)
    for length, young in ((1.0, 210e9), (LARGE, 1e10), (SMALL, 7e9)):
        assert distance(console(length, young), twin) < 1e-9


@pytest.mark.parametrize("length", [1.0, 1e-5, 1e3])
@pytest.mark.parametrize("source", [None, lambda x: torch.ones(len(x))])
def test_pure_neumann_conditions_are_told_in_any_units_and_without_a_load(length, source):
    nodes = dtpinn.place_nodes(Disk(length), spacing=0.2 * length, seed=0)
    problem = dtpinn.discretize(dtpinn.Poisson(source, dtpinn.Neumann()), nodes)
    with pytest.raises(RuntimeError, match=r"singular to rounding.*pure Neumann"):
        problem.solve()


def test_a_glass_of_a_micrometre_cools_as_its_twin_does():
    """Diffusivity 1e-9 m2/s, temperatures around 300 K."""

    def cooling(length, diffusivity):
        pde = dtpinn.Heat(
            None, dtpinn.Robin(length, 1.0, lambda x, n, t: 300.0 + 0.0 * t),
            initial=lambda x: 300.0 + torch.sin(3.0 * x[:, 0] / length), diffusivity=diffusivity,
        )  # fmt: skip
        times = torch.linspace(0.0, 0.2, 3) * length**2 / diffusivity
        nodes = dtpinn.place_nodes(Disk(length), spacing=0.2 * length, seed=0)
        return dtpinn.discretize(pde, nodes, order=3, times=times).solve() - 300.0

    assert distance(cooling(SMALL, 1e-9), cooling(1.0, 1.0)) < 1e-9
