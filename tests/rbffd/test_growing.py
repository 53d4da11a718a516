"""Regular grids, on which the rule's stencils are sometimes singular."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from dtpinn.nodes import Nodes
from dtpinn.rbffd import assemble, laplacian
from dtpinn.rbffd import differential as D
from dtpinn.rbffd.degenerate import LIMIT
from dtpinn.rbffd.growing import STEPS
from tests.rbffd.clouds import box, exponents_up_to, monomial

EPS = np.finfo(float).eps


def grid(per_side, dimension=2):
    """The unit cube with a node at every multiple of 1 / (per_side - 1), as a user makes it."""
    axis = np.linspace(0.0, 1.0, per_side)
    points = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1)
    points = points.reshape(-1, dimension)
    normals = np.where(points == 0.0, -1.0, np.where(points == 1.0, 1.0, 0.0))
    on = normals.any(axis=1)
    normals = normals[on] / np.linalg.norm(normals[on], axis=1, keepdims=True)
    return Nodes.from_points(points[~on], points[on], normals)


def built_on(nodes, order, **options):
    terms = {"L": D.laplacian, "dx": D.partial(0)}
    return assemble(nodes, terms, np.arange(nodes.count), order, **options)


@pytest.mark.parametrize(("dimension", "per_side", "order"), [(2, 20, 6), (2, 40, 6), (3, 9, 2)])
def test_a_grid_is_assembled_with_a_warning_and_exact_on_polynomials(dimension, per_side, order):
    nodes = grid(per_side, dimension)
    message = (
        r"\d+ of \d+ stencils of \d+ nodes determine no weights.* node \d+ at \[.*stencil_size"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        built = built_on(nodes, order)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    sizes = np.diff(built.matrices["L"].indptr)
    size = built.rule.stencil_size
    assert 0 < (sizes > size).sum() < 0.1 * nodes.count
    assert sizes.min() == size
    assert sizes.max() <= 1.2 * size
    assert built.condition.max() < LIMIT / 1e3
    points, unit = nodes.extended, np.eye(dimension, dtype=int)
    for powers in exponents_up_to(built.rule.degree, dimension):
        for name, terms in {"L": 2 * unit, "dx": unit[:1]}.items():
            matrix = built.matrices[name]
            exact = sum(monomial(points, powers, alpha) for alpha in terms.tolist())[: nodes.count]
            error = abs(matrix @ monomial(points, powers, (0,) * dimension) - exact)
            # The bound of test_polynomial_exactness: |x^k| <= 1.1 here.
            bound = 50 * EPS * built.rule.unknowns * (abs(matrix) @ np.ones(len(points)))
            assert (error <= bound).all()


def test_the_other_rows_are_what_they_were_and_the_matrices_canonical():
    nodes = grid(20)
    with pytest.warns(UserWarning, match="determine no weights"):
        built = built_on(nodes, 6)
    for matrix in built.matrices.values():
        sizes = np.diff(matrix.indptr)
        assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
        assert all(
            (np.diff(matrix.indices[a:b]) > 0).all()
            for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
        )
    kept = np.flatnonzero(sizes == 73)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = assemble(nodes, {"L": D.laplacian}, kept, 6)
        whole = built_on(nodes, 6, stencil_size=int(sizes.max()))
    assert_same_rows(built, kept, alone, np.arange(len(kept)))
    # ... and the rows that grew are those of the larger size, with its condition.
    most = np.flatnonzero(sizes == sizes.max())
    assert_same_rows(built, most, whole, most)


def assert_same_rows(one, rows, other, places):
    """The same systems, though in other batches; so the round-off is that of the condition."""
    left, right = one.matrices["L"][rows], other.matrices["L"][places]
    assert np.array_equal(left.indices, right.indices)
    limit = EPS * one.condition.max() * abs(right.data).max()
    np.testing.assert_allclose(left.data, right.data, rtol=0, atol=limit)
    np.testing.assert_allclose(one.condition[rows], other.condition[places], rtol=1e-4)


def test_coefficients_go_with_their_rows():
    nodes = grid(20)
    coefficient = np.linspace(1.0, 2.0, nodes.count)
    terms = coefficient * D.laplacian
    with pytest.warns(UserWarning, match="determine no weights"):
        built = assemble(nodes, {"cL": terms, "L": D.laplacian}, np.arange(nodes.count), 6)
    scaled = coefficient[:, None] * built.matrices["L"].toarray()
    np.testing.assert_allclose(built.matrices["cL"].toarray(), scaled, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:.*determine no weights")
def test_threads_do_not_change_a_bit():
    nodes = grid(20)
    one, two = (built_on(nodes, 6, threads=threads) for threads in (1, 2))
    for part in ("data", "indices", "indptr"):
        left, right = getattr(one.matrices["L"], part), getattr(two.matrices["L"], part)
        assert np.array_equal(left, right)


@pytest.mark.filterwarnings("ignore:.*determine no weights")
def test_the_order_of_convergence_is_kept():
    errors = []
    for per_side in (20, 40):
        nodes = grid(per_side)
        x, y = nodes.extended.T
        L = laplacian(nodes, 6).to_scipy()
        exact = (-2 * np.sin(x) * np.cos(y))[: nodes.count]
        errors.append(np.sqrt(np.mean((L @ (np.sin(x) * np.cos(y)) - exact) ** 2)))
    # h is halved (19 steps, 39 steps); the worst rows are few, one-sided, and of the same order.
    assert np.log(errors[0] / errors[1]) / np.log(39 / 19) > 5.5


def test_an_order_four_grid_in_space_takes_all_the_steps_there_are():
    nodes = grid(9, 3)
    with pytest.warns(UserWarning, match=r"of 113 nodes .* to 204 nodes at most"):
        built = assemble(nodes, {"L": D.laplacian}, np.arange(nodes.count), 4)
    assert set(np.diff(built.matrices["L"].indptr)) >= {113, 125, 204}


def test_a_grid_without_ghosts_in_space_says_so():
    nodes = box(3, 9, jitter=0.0)
    message = r"regular grid; nor do its 204 nearest .* Scatter .* lower order or a much larger st"
    with pytest.raises(ValueError, match=message):
        assemble(nodes, {"L": D.laplacian}, np.arange(300, 400), 4)
    # a tenth of the spacing is enough scatter
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assemble(box(3, 9, jitter=0.1), {"L": D.laplacian}, np.arange(300, 400), 4)


def test_where_growing_is_no_cure_one_stencil_is_tried_and_the_node_named(monkeypatch):
    from dtpinn.rbffd import block

    solved = []
    solve = block.solve_weights

    def recorded(stencils, *arguments, **options):
        solved.append(len(stencils))
        return solve(stencils, *arguments, **options)

    monkeypatch.setattr(block, "solve_weights", recorded)
    circle = np.linspace(0.0, 2.0 * np.pi, 500, endpoint=False)
    for points in (
        np.stack([circle, 0.5 * circle], axis=1),
        np.stack([np.cos(circle), np.sin(circle)], axis=1),
    ):
        solved.clear()
        message = r"node \d+ at \[.*500 of 500 .* nor do its \d+ nearest.* Scatter the nodes, or"
        nodes = SimpleNamespace(extended=points)
        with pytest.raises(ValueError, match=message):
            assemble(nodes, {"L": D.laplacian}, np.arange(500), 3)
        assert solved == [500] + [1] * STEPS


def test_a_stencil_does_not_grow_into_another_cloud():
    # A row of nodes, too short for its own stencils to grow, beside a good cloud far away.
    line = 50 + np.linspace(0, 3, 22)[:, None] * [1.0, 0.0]
    nodes = SimpleNamespace(extended=np.concatenate([box(2, 15).extended, line]))
    with pytest.raises(ValueError, match=r"node 2[23]\d at \[5\d\.\d*, 50.0\] is degenerate"):
        assemble(nodes, {"L": D.laplacian}, np.arange(225, 247), 2)


def test_a_stencil_of_all_nodes_cannot_grow():
    line = np.linspace(0, 1, 21)[:, None] * [1.0, 0.0]
    with pytest.raises(ValueError, match=r"regular grid\. Scatter the nodes, or ask for a lower"):
        assemble(SimpleNamespace(extended=line), {"L": D.laplacian}, np.arange(21), 2)


def test_the_warning_points_at_the_line_of_the_user():
    with pytest.warns(UserWarning, match="determine no weights") as caught:
        laplacian(grid(20), 6)
    assert [warning.filename for warning in caught] == [__file__]
