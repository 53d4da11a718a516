from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array

from dtpinn.rbffd import assemble
from dtpinn.rbffd import differential as D
from tests.rbffd.clouds import box, disk, wave

EPS = np.finfo(float).eps


def test_matrices_are_canonical_csr_of_the_stencils_pattern():
    nodes = disk(400)
    rows = np.array([399, 0, 5, 5])
    built = assemble(nodes, {"L": D.laplacian, "dx": {(1, 0): 1.0}}, rows, 3)
    for matrix in built.matrices.values():
        assert isinstance(matrix, csr_array)
        assert matrix.shape == (4, len(nodes.extended))
        assert matrix.dtype == np.float64
        assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
        assert np.diff(matrix.indptr).tolist() == [31] * 4
        assert (np.diff(matrix.indices.reshape(4, 31), axis=1) > 0).all()
    L = built.matrices["L"].toarray()
    assert np.array_equal(L[2], L[3])
    assert built.condition.shape == (4,)
    assert built.rule.stencil_size == 31


def test_the_centre_has_the_largest_weight_of_a_laplacian():
    # Sorting columns must move weights along with their indices.
    nodes = disk(400)
    rows = np.arange(0, 300, 50)
    L = assemble(nodes, {"L": D.laplacian}, rows, 2).matrices["L"].toarray()
    assert np.argmin(L, axis=1).tolist() == rows.tolist()


def test_matrices_share_no_memory():
    nodes = disk(300)
    a, b = assemble(
        nodes, {"a": {(1, 0): 1.0}, "b": {(0, 1): 1.0}}, np.arange(9), 2
    ).matrices.values()
    assert not np.shares_memory(a.indices, b.indices)
    assert not np.shares_memory(a.indptr, b.indptr)


@pytest.mark.parametrize("order", range(2, 7))
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_rows_of_derivatives_sum_to_zero(dimension, order):
    nodes = box(dimension, {1: 40, 2: 12, 3: 8}[dimension])
    built = assemble(nodes, {"L": D.laplacian}, np.arange(20), order)
    L = built.matrices["L"]
    # constants are the first polynomial: the bound of test_polynomial_exactness
    assert (abs(L.sum(axis=1)) <= built.rule.unknowns * EPS * abs(L).sum(axis=1)).all()


def test_identity_is_exact_beside_other_operators():
    nodes = disk(300)
    rows = np.arange(50, 70)
    beta = np.linspace(-2, 3, 20)
    built = assemble(
        nodes,
        {"I": {(0, 0): beta}, "L": D.laplacian, "LI": D.laplacian + D.identity},
        rows,
        3,
    )
    identity = built.matrices["I"].toarray()
    assert np.array_equal(identity[np.arange(20), rows], beta)
    assert np.count_nonzero(identity) == 20
    difference = built.matrices["LI"].toarray() - built.matrices["L"].toarray()
    limit = 2 * EPS * abs(built.matrices["L"].toarray()).max()
    np.testing.assert_allclose(difference[np.arange(20), rows], 1.0, atol=limit)
    difference[np.arange(20), rows] = 0.0
    assert not difference.any()


def test_identity_alone_needs_no_stencils():
    nodes = SimpleNamespace(extended=np.zeros((3, 2)))  # coinciding nodes do not matter
    built = assemble(nodes, {"I": {(0, 0): 2.0}}, np.array([2, 0]), 4)
    assert built.matrices["I"].toarray().tolist() == [[0, 0, 2], [2, 0, 0]]
    assert built.condition.tolist() == [1, 1]


def test_operators_are_linear_in_their_coefficients():
    nodes = disk(300)
    rows = np.arange(30)
    a, b = np.linspace(1, 2, 30), np.linspace(-1, 1, 30)
    built = assemble(
        nodes, {"xx": {(2, 0): 1.0}, "y": {(0, 1): 1.0}, "both": {(2, 0): a, (0, 1): b}}, rows, 3
    )
    xx, y, both = (built.matrices[k].toarray() for k in ("xx", "y", "both"))
    np.testing.assert_allclose(
        both, a[:, None] * xx + b[:, None] * y, atol=4 * EPS * abs(both).max()
    )


def test_no_rows_is_an_empty_matrix():
    built = assemble(disk(300), {"L": D.laplacian}, np.array([], int), 4)
    assert built.matrices["L"].shape == (0, len(disk(300).extended))


def test_a_larger_exponent_and_stencil_are_used_and_help():
    nodes = disk(1200)
    rows = np.arange(1000)
    exact = -2 * np.pi**2 * (wave(nodes.extended[rows]) - 1)

    def error(**options):
        built = assemble(nodes, {"L": D.laplacian}, rows, 3, **options)
        return built.rule, np.linalg.norm(built.matrices["L"] @ wave(nodes.extended) - exact)

    _, paper = error()
    rule, better = error(exponent=7)
    assert rule.exponent == 7
    assert better < 0.5 * paper
    rule, worse = error(stencil_size=18)  # 1.2 q
    assert rule.stencil_size == 18
    assert worse > 1.2 * paper


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "operator 'D' has no terms"),
        (
            {(1,): 1.0},
            r"operator 'D': a derivative in 2-D is a tuple of 2 integers >= 0, got \(1,\)",
        ),
        ({(1, -1): 1.0}, r"got \(1, -1\)"),
        ({(1, 0.5): 1.0}, r"got \(1, 0.5\)"),
        ({"xx": 1.0}, "got 'xx'"),
        ({(1, 0): np.ones(4)}, r"coefficient of \(1, 0\) must be a number .* \(5,\).* got \(4,\)"),
        ({(1, 0): np.ones((5, 1))}, r"got \(5, 1\)"),
        ({(1, 0): "a"}, "must be a number or an array of 5; got 'a'"),
        ({(1, 0): np.array([1, 1, np.nan, 1, 1])}, "must be finite, entry 2 is nan"),
    ],
)
def test_bad_terms(terms, message):
    with pytest.raises(ValueError, match=message):
        assemble(box(2, 8), {"D": terms}, np.arange(5), 2)


def test_no_operators_and_no_threads():
    with pytest.raises(ValueError, match="no operators to assemble"):
        assemble(box(2, 8), {}, np.arange(5), 2)
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        assemble(box(2, 8), {"L": D.laplacian}, np.arange(5), 2, threads=0)
    with pytest.raises(TypeError, match=r"threads must be an integer, got 2\.5"):
        assemble(box(2, 8), {"L": D.laplacian}, np.arange(5), 2, threads=2.5)


def test_nodes_on_a_line_are_a_degenerate_stencil_in_the_plane():
    rotated = np.linspace(0, 1, 50)[:, None] * [0.6, 0.8]
    flat = np.linspace(0, 1, 50)[:, None] * [1.0, 0.0]  # exactly singular: LAPACK's zero pivot
    for line in (rotated, flat):
        message = r"stencil of node \d+ at \[.*\] is degenerate .* 50 of 50 .* such as a line"
        with pytest.raises(ValueError, match=message):
            assemble(SimpleNamespace(extended=line), {"L": D.laplacian}, np.arange(50), 2)


def test_a_degenerate_stencil_is_found_among_good_ones():
    # A cloud, and far away from it a line: only the line's stencils are degenerate.
    cloud = box(2, 15).extended
    line = 50 + np.linspace(0, 3, 40)[:, None] * [1.0, 0.0]
    nodes = SimpleNamespace(extended=np.concatenate([cloud, line]))
    with pytest.raises(ValueError, match=r"node 2[2-6]\d at \[5\d\.\d*, 50.0\] .* 40 of 265 "):
        assemble(nodes, {"L": D.laplacian}, np.arange(265), 2)
    assemble(nodes, {"L": D.laplacian}, np.arange(225), 2)


def test_nearly_coinciding_nodes_are_named():
    points = box(2, 15).extended
    points[100] = points[101] + 1e-10
    with pytest.raises(ValueError, match=r"nodes (100 and 101|101 and 100) nearly coincide"):
        assemble(SimpleNamespace(extended=points), {"L": D.laplacian}, np.arange(225), 3)


def test_normal_terms_are_the_normal_derivative():
    nodes = disk(300)
    rows = len(nodes.interior) + np.arange(len(nodes.boundary))
    built = assemble(nodes, {"n": D.normal}, rows, 3)
    x, y = nodes.extended.T
    got = built.matrices["n"] @ (x**2 - 3 * x * y)
    x, y = nodes.boundary.T
    np.testing.assert_allclose(got, 2 * x**2 - 6 * x * y, atol=1e-10)
