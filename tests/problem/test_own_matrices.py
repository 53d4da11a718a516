"""Somebody's own matrices: finite differences on a grid, as the paper allows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy.sparse import csr_array

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from tests.problem.evolutions import Diffusion, wave

# Of the first rows, one-sided, and of all others.
SECOND_DIFFERENCE = {
    2: ([[2, -5, 4, -1]], [1, -2, 1]),
    4: (
        np.array([[45, -154, 214, -156, 61, -10], [10, -15, -4, 14, -6, 1]]) / 12,
        np.array([-1, 16, -30, 16, -1]) / 12,
    ),
}


def second_difference(n, order):
    """d^2/dx^2 on n equidistant points of [0, 1]."""
    first, inner = SECOND_DIFFERENCE[order]
    D, reach = scipy.sparse.lil_array((n, n)), len(inner) // 2
    for i in range(reach, n - reach):
        D[i, i - reach : i + reach + 1] = inner
    for i, weights in enumerate(first):
        D[i, : len(weights)] = weights
        D[n - 1 - i, n - len(weights) :] = weights[::-1]
    return csr_array(D) * (n - 1) ** 2


class Grid:
    """The unit square as nodes without ghosts, and operators put into the order of the nodes."""

    def __init__(self, n):
        line = np.linspace(0.0, 1.0, n)
        points = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
        outward = np.where(points == 0.0, -1.0, 0.0) + np.where(points == 1.0, 1.0, 0.0)
        on_boundary = outward.any(axis=1)
        normals = outward[on_boundary]
        made = dtpinn.Nodes.from_points(
            points[~on_boundary], points[on_boundary],
            normals / np.linalg.norm(normals, axis=1, keepdims=True),
        )  # fmt: skip
        self.nodes = dtpinn.Nodes(
            made.interior, made.boundary, made.ghost[:0], made.normals,
            part=made.part, parts=made.parts, ghost_of=made.ghost_of[:0], spacing=made.spacing,
        )  # fmt: skip
        self.order = np.concatenate([np.flatnonzero(~on_boundary), np.flatnonzero(on_boundary)])
        self.n = n

    def laplacian(self, order):
        D, one = second_difference(self.n, order), scipy.sparse.eye_array(self.n)
        both = csr_array(scipy.sparse.kron(D, one) + scipy.sparse.kron(one, D))
        return both[self.order][:, self.order]


def dirichlet(u):
    return dtpinn.Poisson.from_solution(u, alpha=0.0, beta=1.0)


@pytest.mark.parametrize("order", [2, 4])
def test_finite_differences_solve_at_their_order(order):
    errors = []
    for n in (33, 65):
        grid = Grid(n)
        problem = dtpinn.discretize(
            dirichlet(sine_cosine), grid.nodes, operators={"laplacian": grid.laplacian(order)}
        )
        exact = sine_cosine(problem.points)
        errors.append(float((problem.solve() - exact).norm() / exact.norm()))
    assert order - 0.3 < math.log2(errors[0] / errors[1]) < order + 1.2


@pytest.mark.parametrize("order", [2, 4])
def test_finite_differences_solve_in_time_at_their_order(order):
    errors = []
    times = torch.linspace(0.0, 0.5, 3)
    for n in (9, 17):
        grid = Grid(n)
        own = {"laplacian": grid.laplacian(order)}
        problem = dtpinn.discretize(Diffusion(), grid.nodes, times=times, operators=own)
        exact = wave(problem.points[:, :2], problem.points[:, 2])
        errors.append(float((problem.solve() - exact).norm() / exact.norm()))
    assert order - 0.3 < math.log2(errors[0] / errors[1]) < order + 1.2


@pytest.mark.full
def test_finite_differences_train_and_are_estimated():
    grid = Grid(13)
    own = {"laplacian": grid.laplacian(4)}
    smooth = lambda x: x[:, 0] ** 2 + x[:, 1] ** 3  # noqa: E731
    problem = dtpinn.discretize(dirichlet(smooth), grid.nodes, operators=own)
    model = dtpinn.MLP(2, width=20, depth=1, seed=0)
    dtpinn.fit(model, problem, epochs=30)
    assert problem.compare(model).agrees
    estimate = problem.estimate(model)
    exact = smooth(problem.points)
    true = float((model(problem.points).detach() - exact).norm() / exact.norm())
    assert estimate.distance < 0.02
    assert 0.5 < estimate.distance / true < 2.0  # differences are exact for this solution
    assert estimate.discretisation is None


class Slopes(dtpinn.PDE):
    """The same derivative in the interior and on the boundary."""

    def residual(self, u, D, x):
        return D.laplacian(u) - D.partial(u, 0)

    def boundary(self, u, D, x, n):
        return D.partial(u, 0) + u


def test_a_matrix_is_given_for_all_regions_or_for_one(disk):
    nodes = disk(0.1)
    P = dtpinn.rbffd.operator(nodes, {(1, 0): 1.0}, order=3)
    model = dtpinn.MLP(2, width=10, depth=2, seed=0)

    def residuals(operators):
        made = dtpinn.discretize(Slopes(), nodes, operators=operators, ghosts="all").residuals(
            model
        )
        return {name: r.detach() for name, r in made.items()}

    plain, everywhere = residuals(None), residuals({"partial(0)": P})
    for name in plain:
        assert not torch.allclose(plain[name], everywhere[name], rtol=1e-9, atol=0)
    on_boundary = residuals({("boundary", "partial(0)"): P})
    torch.testing.assert_close(on_boundary["pde"], plain["pde"])
    torch.testing.assert_close(on_boundary["boundary"], everywhere["boundary"])
    rows = P.to_scipy()[nodes.interior_count :]
    of_its_rows = residuals({("boundary", "partial(0)"): 2 * rows, "partial(0)": P})
    torch.testing.assert_close(of_its_rows["pde"], everywhere["pde"])
    u = model(torch.tensor(nodes.boundary)).detach()
    twice = 2 * (everywhere["boundary"] - u) + u
    assert torch.allclose(of_its_rows["boundary"], twice, atol=1e-12)


def test_a_matrix_that_does_not_fit_says_what_would(disk):
    nodes = disk(0.1)
    rows = dtpinn.rbffd.operator(nodes, {(1, 0): 1.0}, order=3).to_scipy()[nodes.interior_count :]
    with pytest.raises(ValueError, match=r"on region 'pde' .* operators\[\('pde', \.\.\.\)\]"):
        dtpinn.discretize(Slopes(), nodes, operators={"partial(0)": rows})
    with pytest.raises(ValueError, match=r"no residual asks for .*'boundary', 'laplacian'"):
        dtpinn.discretize(Slopes(), nodes, operators={("boundary", "laplacian"): rows})
    with pytest.raises(TypeError, match="got ndarray"):
        dtpinn.discretize(Slopes(), nodes, operators={"laplacian": np.eye(3)})
    broken = dtpinn.rbffd.operator(nodes, {(1, 0): 1.0}, order=3).to_scipy()
    broken.data[broken.indptr[7] + 1] = np.nan
    with pytest.raises(ValueError, match=r"operators\['partial\(0\)'\] has an entry nan in row 7"):
        dtpinn.discretize(Slopes(), nodes, operators={"partial(0)": broken})
