"""The order of somebody's own nodes costs locality and nothing else: nobody sees the curve.

The clouds are small, so the criterion is lowered: more than one row apart is scattered.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from scipy.sparse import random_array
from torch.autograd import gradcheck, gradgradcheck

import dtpinn
from dtpinn.nodes import ordering
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem.curve import CurveProduct
from dtpinn.sparse import CSR
from tests.problem.equations import Elasticity, ReactionInTime, TwoParts

CASES = {
    "nonlinear Poisson": (
        lambda: dtpinn.Poisson.from_solution(sine_cosine, beta=2.0, reaction=torch.exp),
        None,
    ),
    "space-time": (ReactionInTime, torch.linspace(0.0, 0.6, 3)),
    "two fields": (Elasticity, None),
    "two parts": (TwoParts, None),
}


class Cloud:
    """Nodes, the same in another order, and where each row of one is in the other."""

    def __init__(self, nodes, rng):
        inner, edge = rng.permutation(nodes.interior_count), rng.permutation(nodes.boundary_count)
        self.nodes, self.edge = nodes, edge
        self.shuffled = dtpinn.Nodes.from_points(
            nodes.interior[inner], nodes.boundary[edge], nodes.normals[edge],
            parts=np.array(nodes.parts)[nodes.part[edge]], spacing=nodes.spacing,
        )  # fmt: skip
        self.rows = np.concatenate([inner, nodes.interior_count + edge])

    def moved(self, residual, ordered, shuffled):
        """Rows of a residual on the nodes, as they should come on the shuffled nodes.

        `ordered` and `shuffled` are the rows of X that it has on either.
        """
        place = np.searchsorted(ordered, self.rows[shuffled])
        by_node = residual.reshape(len(ordered), -1, *residual.shape[1:])
        return by_node[place].reshape(residual.shape)


def rows_of(problem):
    """Of X, of each residual."""
    rows = {region.name: region.rows for region in problem.regions}
    return {**rows, "initial": np.arange(problem.nodes.count)}


@pytest.fixture
def cloud(disk, rng):
    """A disk in two parts; no two distances are equal, so a stencil has its nodes in any order."""
    nodes = disk(0.08)
    angles = np.sort(np.arctan2(*nodes.boundary.T) + 0.01 * rng.random(nodes.boundary_count))
    edge = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    names = np.where(edge[:, 0] < 0.1, "left", "right")
    return Cloud(dtpinn.Nodes.from_points(nodes.interior, edge, edge, parts=names), rng)


@pytest.fixture(autouse=True)
def small_clouds_count(monkeypatch):
    monkeypatch.setattr(ordering, "FAR", 1)


@pytest.fixture
def as_it_comes(monkeypatch):
    """A problem on the same nodes without the curve."""

    def build(*arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(ordering, "FAR", 10**9)
            problem = dtpinn.discretize(*arguments, **options)
        assert isinstance(problem.stacked, CSR)
        return problem

    return build


def network(problem, **options):
    inputs = problem.nodes.dimension + (problem.times is not None)
    return dtpinn.MLP(inputs, width=10, depth=2, fields=problem.pde.fields, seed=3, **options)


def assert_close(a, b, tolerance=1e-11):
    assert a.shape == b.shape
    assert (a - b).abs().max() <= tolerance * b.abs().max()


def discretized(pde, nodes, **options):
    problem = dtpinn.discretize(pde, nodes, **options)
    assert isinstance(problem.stacked, CurveProduct)
    return problem


@pytest.mark.parametrize("case", CASES)
def test_a_shuffled_cloud_has_the_residuals_of_the_cloud_row_by_row(case, cloud):
    make, times = CASES[case]
    pde = make()
    ordered = dtpinn.discretize(pde, cloud.nodes, times=times)
    shuffled = discretized(pde, cloud.shuffled, times=times)
    assert isinstance(ordered.stacked, CSR)  # nodes as they were placed are left as they are
    model = network(ordered)
    wanted, got = ordered.residuals(model), shuffled.residuals(model)
    assert wanted.keys() == got.keys()
    # Weights differ in the last digits with the order of a stencil's distances: 1e-16 times
    # condition numbers of 1e5.
    before, after = rows_of(ordered), rows_of(shuffled)
    for name, residual in got.items():
        assert_close(residual, cloud.moved(wanted[name], before[name], after[name]), 1e-9)
    everywhere = before["initial"], after["initial"]
    assert torch.equal(shuffled.points, cloud.moved(ordered.points, *everywhere))
    parameters = [*model.parameters(), *pde.parameters()]
    gradients = [torch.autograd.grad(p.loss(model), parameters) for p in (ordered, shuffled)]
    for ours, theirs in zip(*gradients, strict=True):
        assert_close(ours, theirs, 1e-8)


def test_the_solution_and_the_estimate_are_in_the_users_order(cloud):
    pde = CASES["nonlinear Poisson"][0]()
    ordered, shuffled = dtpinn.discretize(pde, cloud.nodes), discretized(pde, cloud.shuffled)
    solution = ordered.solve()
    assert_close(shuffled.solve(), solution[cloud.rows], 1e-9)
    assert_close(shuffled.solve(guess=solution[cloud.rows]), solution[cloud.rows], 1e-9)
    ours, theirs = (problem.estimate(sine_cosine) for problem in (shuffled, ordered))
    assert abs(ours.distance - theirs.distance) < 1e-6 * theirs.distance
    assert abs(ours.discretisation - theirs.discretisation) < 1e-6 * theirs.discretisation


@pytest.mark.parametrize("case", ["two fields", "two parts"])
def test_the_linearization_is_that_of_the_residuals(case, cloud):
    problem = discretized(CASES[case][0](), cloud.shuffled)
    model = network(problem)
    values = model(problem.extended_points).detach()
    at = problem.linearize(values.numpy())
    for name, residual in problem.residuals(model).items():
        here = torch.from_numpy(at.residuals[name]).reshape(residual.shape)
        assert_close(here, residual, 1e-10)


def test_data_captured_by_row_stay_with_their_rows(cloud):
    """Measurements in the order of the cloud, and nodal values as the model."""
    everywhere = torch.tensor(cloud.shuffled.extended)
    u, data = torch.sin(3 * everywhere[:, 0]), sine_cosine(everywhere)

    class Measured(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u) - data[: len(x)]

        def boundary(self, u, D, x, n):
            return D.normal(u)

    problem = discretized(Measured(), cloud.shuffled, order=5)
    here = everywhere[: cloud.shuffled.count]
    exact = -9 * torch.sin(3 * here[:, 0]) - sine_cosine(here)
    assert_close(problem.residuals(lambda x: u)["pde"], exact, 1e-3)


def test_somebodys_own_matrices_keep_their_numbering(cloud, as_it_comes):
    pde = CASES["nonlinear Poisson"][0]()
    own = {"laplacian": dtpinn.rbffd.laplacian(cloud.shuffled, order=3)}
    problem = discretized(pde, cloud.shuffled, operators=own)
    model = network(problem)
    u = model(problem.extended_points)
    x = problem.points
    wanted = own["laplacian"] @ u - torch.exp(u[: len(x)]) - pde.f(x)
    assert_close(problem.residuals(model)["pde"], wanted)
    plain = as_it_comes(pde, cloud.shuffled, operators=own)
    assert_close(problem.solve(), plain.solve())


@pytest.mark.parametrize("case", CASES)
def test_hessian_vector_products_do_not_know_the_curve(case, cloud, as_it_comes, rng):
    """In the nodal values, where every permutation is differentiated twice."""
    make, times = CASES[case]
    pde = make()
    problems = [
        build(pde, cloud.shuffled, times=times, order=3) for build in (discretized, as_it_comes)
    ]
    shape = (len(problems[0].extended_points),) + (2,) * (pde.fields == 2)
    # In space-time a model of x and t that is linear in t: D.time differentiates it.
    factor = 1.0 if times is None else torch.linspace(0.5, 1.5, shape[0])
    u, v = torch.tensor(rng.standard_normal((2, *shape)))
    products = [
        torch.autograd.functional.hvp(
            lambda w, p=problem: p.loss(lambda x: w if times is None else w * factor * x[:, -1]),
            u,
            v,
        )[1]
        for problem in problems
    ]
    assert_close(*products)


def test_the_product_is_differentiable_like_the_op(rng):
    A = random_array((12, 9), density=0.4, rng=rng, format="csr")
    rows, order = rng.integers(0, 9, 12), rng.permutation(9)
    product = CurveProduct(A, rows, order, torch.float64)
    x = torch.tensor(rng.standard_normal((9, 2)), requires_grad=True)
    assert torch.allclose(product(x), torch.tensor(A @ x.detach().numpy()), atol=1e-14)
    assert gradcheck(product, x, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(product, x)
    assert torch.allclose(torch.func.vmap(product, 1, 1)(x), product(x))


def test_the_product_compiles_without_a_graph_break(rng):
    A = random_array((12, 9), density=0.4, rng=rng, format="csr")
    product = CurveProduct(A, rng.integers(0, 9, 12), rng.permutation(9), torch.float64)
    compiled = torch.compile(product, fullgraph=True, backend="aot_eager")
    x = torch.tensor(rng.standard_normal((9, 2)), requires_grad=True)
    (wanted,) = torch.autograd.grad(product(x).square().sum(), x)
    (got,) = torch.autograd.grad(compiled(x).square().sum(), x)
    torch.testing.assert_close(got, wanted)


def test_single_precision_and_conversion_go_through_the_curve(cloud, as_it_comes):
    pde = CASES["two fields"][0]()
    pde.stiffness.data = pde.stiffness.data.float()
    single = discretized(pde, cloud.shuffled, dtype=torch.float32, ghosts="all")
    plain = as_it_comes(pde, cloud.shuffled, dtype=torch.float32, ghosts="all")
    converted = copy.deepcopy(discretized(pde, cloud.shuffled, ghosts="all")).to(torch.float32)
    model = network(single, dtype=torch.float32)
    wanted = plain.residuals(model)
    for problem in (single, converted):
        for name, residual in problem.residuals(model).items():
            assert residual.dtype == torch.float32
            # eps32 |L| |u| is 7e-5..3e-4 of second derivatives.
            assert_close(residual, wanted[name], 1e-3)


def test_a_problem_of_scattered_nodes_is_copied_and_restored(cloud):
    problem = discretized(CASES["two fields"][0](), cloud.shuffled)
    model = network(problem)
    wanted = problem.loss(model)
    torch.testing.assert_close(copy.deepcopy(problem).loss(model), wanted)
    state = copy.deepcopy(problem.state_dict())
    other = copy.deepcopy(problem)
    for part in (other.stacked.enter, other.stacked.along, other.stacked.leave):
        part.values.zero_()
    assert not torch.allclose(other.loss(model), wanted)
    other.load_state_dict(state)
    torch.testing.assert_close(other.loss(model), wanted)


def test_the_columns_of_a_row_lie_close_together(cloud, as_it_comes):
    pde = CASES["nonlinear Poisson"][0]()
    spans = []
    for product in (
        discretized(pde, cloud.shuffled).stacked.along,
        dtpinn.discretize(pde, cloud.nodes).stacked,
        as_it_comes(pde, cloud.shuffled).stacked,
    ):
        A = product.to_scipy()
        columns = np.split(A.indices, A.indptr[1:-1])
        # Median distances to the median column: a curve has a few far neighbours.
        spans.append(np.mean([np.median(np.abs(c - np.median(c))) for c in columns]))
    along, placed, scattered = spans
    assert along < 1.2 * placed
    assert along < scattered / 3


def test_rows_of_one_node_lie_together(cloud):
    """The conditions' rows beside the equation's, where the same values are in the cache."""
    nodes = cloud.shuffled
    product = discretized(CASES["nonlinear Poisson"][0](), nodes).stacked
    place, entered = product.leave.col.numpy(), product.enter.col.numpy()
    # The equation is asked on X and the condition on its boundary; both leave in that order.
    node_of = np.empty(len(place), dtype=int)
    node_of[place] = [*range(nodes.count), *range(nodes.interior_count, nodes.count)]
    visited = entered[np.isin(entered, node_of)]
    assert np.array_equal(node_of[np.r_[True, np.diff(node_of) != 0]], visited)


def test_where_it_does_not_pay_the_order_is_left_alone(cloud, monkeypatch):
    class FewRows(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u)

        def boundary(self, u, D, x, n):
            return D.normal(lambda u, x: u**2)

    problem = discretized(FewRows(), cloud.shuffled)
    (condition,) = problem.products.single.values()
    assert isinstance(condition, CSR)  # all of X~ would be permuted for a few rows
    monkeypatch.undo()
    small = dtpinn.discretize(FewRows(), cloud.shuffled)
    assert isinstance(small.stacked, CSR)  # in the cache in any order


def test_a_description_counts_the_permutations(cloud, as_it_comes):
    pde = CASES["nonlinear Poisson"][0]()
    told = discretized(pde, cloud.shuffled).describe()
    plain = as_it_comes(pde, cloud.shuffled).describe()
    rows = cloud.shuffled.count + cloud.shuffled.boundary_count
    columns = len(cloud.shuffled.extended)
    # Per row column, value and row pointer, the same of the transpose, and where it came from.
    row = 2 * (4 + 8 + 4) + 4
    assert told.memory_bytes - plain.memory_bytes == row * (rows + columns) + 4 * 4
    assert told.nonzeros == plain.nonzeros
    assert "1 product along a curve" in str(told)
    assert "curve" not in str(plain)
