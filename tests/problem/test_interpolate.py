"""A discrete solution at points that are no nodes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Ball, Disk, Polygon, Rectangle
from dtpinn.rbffd import differential as D
from dtpinn.rbffd import interpolation
from tests.marks import mostly_full

TIMES = torch.linspace(0.0, 0.4, 3, dtype=torch.float64)


def wave(x):
    return torch.sin(2 * x[:, 0]) * torch.exp(x[:, 1])


def solved(domain, spacing, order, seed=0, kind=dtpinn.Robin):
    nodes = dtpinn.place_nodes(domain, spacing=spacing, seed=seed)
    condition = dtpinn.Dirichlet() if kind is dtpinn.Dirichlet else kind(1.0, 1.0)
    pde = dtpinn.Poisson.from_solution(wave, boundary=condition)
    problem = dtpinn.discretize(pde, nodes, order=order)
    return problem, problem.solve()


def within(domain, count=400):
    rng = np.random.default_rng(0)
    low, high = domain.bounds
    points = rng.uniform(low, high, (20 * count, domain.dimension))
    return points[domain.signed_distance(points) < 0.0][:count]


L = Polygon([[0, 0], [1, 0], [1, -1], [-1, -1], [-1, 1], [0, 1]])
CASES = {
    "disk": (Disk(), 0.1, dtpinn.Robin),
    "L": (L, 0.1, dtpinn.Dirichlet),
    "ball": (Ball(), 0.25, dtpinn.Robin),
}


@pytest.mark.parametrize("order", mostly_full([3, 4], {4}.__contains__))
@pytest.mark.parametrize("name", CASES)
def test_anywhere_it_is_about_as_wrong_as_at_the_nodes(name, order):
    domain, spacing, kind = CASES[name]
    problem, u = solved(domain, spacing, order, kind=kind)
    points = within(domain)
    at_nodes = (u - wave(problem.points)).abs().max()
    there = (problem.interpolate(u, points) - wave(torch.tensor(points))).abs().max()
    assert there < 8 * at_nodes  # one-sided stencils beside the boundary


def test_torsion_of_a_square_has_its_maximum_in_the_middle():
    """0.0736713533 for side 1 and load 1; no node lies there."""
    square = Rectangle((0.0, 0.0), (1.0, 1.0))
    nodes = dtpinn.place_nodes(square, spacing=0.04, seed=1)
    load = dtpinn.Poisson(lambda x: -torch.ones(len(x), dtype=x.dtype), dtpinn.Dirichlet())
    problem = dtpinn.discretize(load, nodes, order=4)
    middle = problem.interpolate(problem.solve(), [[0.5, 0.5]])
    assert abs(float(middle) - 0.0736713533) < 2e-5


def test_at_the_nodes_it_is_the_values_and_their_gradient():
    problem, u = solved(Disk(), 0.3, 3)
    u = u.clone().requires_grad_()
    again = problem.interpolate(u, problem.nodes.collocation)
    assert torch.equal(again, u)
    points = torch.tensor(within(Disk(), 7))
    assert torch.autograd.gradcheck(lambda v: problem.interpolate(v, points), (u,))
    total = torch.autograd.grad(problem.interpolate(u, points).sum(), u)[0].sum()
    assert abs(float(total) - 7) < 1e-9  # a constant stays one


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("spacing", [0.12, 0.08])
def test_derivatives_of_a_solution_come_from_the_nodes_without_ghosts(spacing, seed):
    """A harmonic function, exp(x) sin(y), from its flux alone on half of the boundary."""
    square = Rectangle((0.0, 0.0), (1.0, 1.0))

    def u(x, n=None):
        return torch.exp(x[:, 0]) * torch.sin(x[:, 1])

    def flux(x, n):
        slope = torch.stack([u(x), torch.exp(x[:, 0]) * torch.cos(x[:, 1])], dim=1)
        return (slope * n).sum(1)

    sides = {"left": dtpinn.Neumann(flux), "top": dtpinn.Neumann(flux)}
    fixed = {"right": dtpinn.Dirichlet(u), "bottom": dtpinn.Dirichlet(u)}
    nodes = dtpinn.place_nodes(square, spacing=spacing, seed=seed)
    solution = dtpinn.discretize(dtpinn.Poisson(None, sides | fixed), nodes, order=4).solve()
    points = np.array([[0.31, 0.42], [0.77, 0.15], [0.05, 0.9]])
    on_x = nodes.with_ghosts_of([])
    found = dtpinn.rbffd.operator(on_x, D.partial(0), order=4, at=points) @ solution
    assert (found - u(torch.tensor(points))).abs().max() < 5e-4  # u_x = u


def test_fields_and_slices_keep_their_places():
    heat = dtpinn.Heat.from_solution(lambda x, t: x[:, 0] * torch.exp(-t))
    nodes = dtpinn.place_nodes(Disk(), spacing=0.2)
    problem = dtpinn.discretize(heat, nodes, 3, times=TIMES)
    x, t = problem.points[:, 0], problem.points[:, 2]
    points = torch.tensor([[0.5, 0.1], [-0.3, 0.2]], dtype=torch.float64)
    found = problem.interpolate(x * (1 + t), points)
    wanted = points[:, :1] * (1 + TIMES)
    torch.testing.assert_close(found.reshape(2, 3), wanted, atol=1e-10, rtol=0)

    class Two(dtpinn.PDE):
        fields = 2

        def residual(self, u, D, x):
            return D.laplacian(u)

        def boundary(self, u, D, x, n):
            return u - torch.stack([x[:, 0], x[:, 0] ** 2 - x[:, 1] ** 2], dim=1)

    pair = dtpinn.discretize(Two(), nodes, 3, dtype=torch.float32)
    at = pair.interpolate(pair.solve().float(), points)
    assert at.dtype == torch.float32
    x, y = points.T
    torch.testing.assert_close(at, torch.stack([x, x**2 - y**2], 1).float(), atol=1e-4, rtol=0)


def test_shapes_that_do_not_fit_are_told_and_the_remedies_work():
    problem, u = solved(Disk(), 0.2, 3)
    nodes, points = problem.nodes, within(Disk(), 5)
    assert nodes.ghost_count
    with pytest.raises(ValueError, match=r'take interpolation\(..., on="collocation"\), or prob'):
        interpolation(nodes, points) @ u
    on_x = interpolation(nodes, points, 4, on="collocation")
    torch.testing.assert_close(on_x @ u, problem.interpolate(u, points))
    with pytest.raises(ValueError, match=r"acts on values on X, .* nodes without ghosts"):
        on_x @ torch.ones(len(nodes.extended), dtype=torch.float64)
    with pytest.raises(ValueError, match=r"on must be 'extended'"):
        interpolation(nodes, points, on="everywhere")
    everywhere = torch.ones(len(nodes.extended), dtype=torch.float64)
    with pytest.raises(ValueError, match=rf"leave out those on ghosts, values\[:{nodes.count}\]"):
        problem.interpolate(everywhere, points)
    assert problem.interpolate(everywhere[: nodes.count], points).sum() == pytest.approx(5)
    with pytest.raises(ValueError, match=r"expected values on X, of shape .* got \(3,\)"):
        problem.interpolate(torch.ones(3), points)
    with pytest.raises(TypeError, match=r"float64 or float32, got torch.int64"):
        problem.interpolate(torch.ones(nodes.count).long(), points)
    with pytest.raises(TypeError, match="not in the points"):
        problem.interpolate(u, torch.tensor(points).requires_grad_())
    with pytest.raises(ValueError, match=r"must lie within the cloud"):
        problem.interpolate(u, [[3.0, 0.0]])
