import numpy as np
import pytest
import torch
from scipy.sparse import vstack
from scipy.sparse.linalg import spsolve

from dtpinn.nodes import Nodes
from dtpinn.rbffd import boundary_operator, laplacian
from dtpinn.sparse import CSR
from tests.rbffd.clouds import disk, wave, wave_laplacian, wave_robin


@pytest.fixture(scope="module")
def nodes():
    return disk(400)


def test_shapes_are_the_papers(nodes):
    count, boundary, every = len(nodes.collocation), len(nodes.boundary), len(nodes.extended)
    L, B = laplacian(nodes), boundary_operator(nodes)
    assert isinstance(L, CSR)
    assert isinstance(B, CSR)
    assert tuple(L.shape) == (count, every)
    assert tuple(B.shape) == (boundary, every)
    assert L.nnz == 43 * count
    assert B.nnz == 31 * boundary


def test_options_are_passed_on(nodes):
    assert laplacian(nodes, 2, stencil_size=15).nnz == 15 * len(nodes.collocation)
    a, b = (laplacian(nodes, 3, exponent=m).to_scipy().data for m in (3, 5))
    assert not np.allclose(a, b)
    assert boundary_operator(nodes, order=2, stencil_size=9).nnz == 9 * len(nodes.boundary)


def test_robin_is_alpha_times_neumann_plus_beta_at_the_node(nodes):
    count = len(nodes.boundary)
    alpha, beta = np.linspace(1, 2, count), np.linspace(-1, 3, count)
    robin = boundary_operator(nodes, alpha, beta).to_scipy().toarray()
    neumann = boundary_operator(nodes, 1.0, 0.0).to_scipy().toarray()
    difference = robin - alpha[:, None] * neumann
    at = (np.arange(count), len(nodes.interior) + np.arange(count))
    limit = 8 * np.finfo(float).eps * abs(neumann).max()
    np.testing.assert_allclose(difference[at], beta, atol=limit)
    difference[at] = 0.0
    assert abs(difference).max() <= limit


def test_dirichlet_is_the_identity_exactly(nodes):
    B = boundary_operator(nodes, 0.0, 2.0).to_scipy()
    assert B.nnz == len(nodes.boundary)
    u = wave(nodes.extended)
    assert np.array_equal(B @ u, 2.0 * wave(nodes.boundary))


def test_dirichlet_on_a_part_is_one_entry_a_row_and_the_rest_as_it_would_be_alone(nodes):
    count = len(nodes.boundary)
    alpha = (nodes.boundary[:, 0] > 0).astype(float)
    beta = np.linspace(1, 2, count)
    B = boundary_operator(nodes, alpha, beta).to_scipy()
    assert np.diff(B.indptr).tolist() == [31 if a else 1 for a in alpha]
    rows = np.flatnonzero(alpha == 0.0)
    assert B.indices[B.indptr[rows]].tolist() == (len(nodes.interior) + rows).tolist()
    assert B.data[B.indptr[rows]].tolist() == beta[rows].tolist()
    robin = boundary_operator(nodes, 1.0, beta).to_scipy()
    rest = np.flatnonzero(alpha)
    assert (B[rest] != robin[rest]).nnz == 0


@pytest.fixture(scope="module")
def in_parts():
    points = np.concatenate([disk(150).interior, disk(150).boundary])
    split = len(disk(150).interior)
    names = ["left" if x < 0 else "right" for x in points[split:, 0]]
    return Nodes.from_points(points[:split], points[split:], points[split:], parts=names)


def test_conditions_by_part_are_conditions_by_node(in_parts):
    left = np.isin(np.arange(in_parts.boundary_count), in_parts.part_rows("left"))
    x, y = in_parts.boundary.T
    by_part = boundary_operator(
        in_parts,
        alpha={"left": 0.0, "right": y[~left] + 2},
        beta={"right": lambda x: x[:, 0], "left": 3.0},
        order=2,
    ).to_scipy()
    by_node = boundary_operator(
        in_parts, np.where(left, 0.0, y + 2), np.where(left, 3.0, x), 2
    ).to_scipy()
    by_function = boundary_operator(
        in_parts,
        lambda x: np.where(x[:, 0] < 0, 0.0, x[:, 1] + 2),
        lambda x: np.where(x[:, 0] < 0, 3.0, x[:, 0]),
        2,
    ).to_scipy()
    assert (by_part != by_node).nnz == (by_function != by_node).nnz == 0
    assert np.diff(by_part.indptr).tolist() == [1 if here else 13 for here in left]


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        ({1: 1.0, "left": 2.0}, r"alpha must name .* got \[1, 'left'\]"),
        (torch.ones(3, requires_grad=True), "alpha must be .* got tensor"),
        ({"left": 1.0}, r"alpha must name each part of the boundary, \['left', 'right'\]; got"),
        ({"left": 1.0, "right": 1.0, "top": 0.0}, r"got \['left', 'right', 'top'\]"),
        ({"left": 1.0, "right": np.ones(3)}, r"alpha\['right'\] must be .* one per node of it"),
        ({"left": np.nan, "right": 1.0}, r"alpha\['left'\] must be finite, got nan at entry 0"),
        (lambda x: x, r"alpha must be .* got \(\d+, 2\)"),
    ],
)
def test_bad_parts(in_parts, alpha, message):
    with pytest.raises(ValueError, match=message):
        boundary_operator(in_parts, alpha, 1.0, 2)


@pytest.mark.parametrize(
    ("alpha", "beta", "message"),
    [
        (np.ones(3), 1.0, r"alpha must be a number or have the shape \(\d+,\).* got \(3,\)"),
        (1.0, np.ones((2, 2)), r"beta must be .* got \(2, 2\)"),
        ("a", 1.0, r"alpha must be a number or an array of \d+, one per boundary node; got 'a'"),
        (1.0, [[0.0], [1.0, 2.0]], r"beta must be a number or an array of"),
        (np.nan, 1.0, "alpha must be finite, got nan at entry 0"),
        (1.0, np.inf, "beta must be finite, got inf"),
        (
            0.0,
            0.0,
            r"both 0 at boundary node 0 at \[1.0, 0.0\] \(\d+ of \d+\): there is no condition",
        ),
    ],
)
def test_bad_coefficients(nodes, alpha, beta, message):
    with pytest.raises(ValueError, match=message):
        boundary_operator(nodes, alpha, beta)


def test_one_node_without_a_condition_is_found(nodes):
    alpha = np.ones(len(nodes.boundary))
    alpha[7] = 0.0
    with pytest.raises(ValueError, match="both 0 at boundary node 7"):
        boundary_operator(nodes, alpha, 0.0)


def test_bad_order(nodes):
    with pytest.raises(ValueError, match="order must be an integer of at least 2, got 1"):
        laplacian(nodes, 1)
    with pytest.raises(ValueError, match="order must be an integer of at least 2, got 0"):
        boundary_operator(nodes, order=0)


# Order p -> bounds on the observed order. facts.md: L has 2.0, 3.1-3.4, 4.0-4.2, 5.3-5.7; an odd p
# with an even l gains about half an order where stencils are nearly symmetric. B has p (+0.1).
ORDERS = {2: (1.8, 2.3), 3: (2.8, 3.7), 4: (3.7, 4.5), 5: (4.7, 6.0)}


@pytest.mark.parametrize("order", ORDERS)
def test_observed_order_on_the_disk(order):
    spacings, errors = [], []
    for count in (1250, 2500, 5000):
        cloud = disk(count)
        u = wave(cloud.extended)
        L = laplacian(cloud, order).to_scipy() @ u - wave_laplacian(cloud.collocation)
        B = boundary_operator(cloud, order=order).to_scipy() @ u
        B -= wave_robin(cloud.boundary, cloud.normals)
        spacings.append(cloud.spacing)
        errors.append([np.sqrt(np.mean(L**2)), np.sqrt(np.mean(B**2))])
    slopes = np.polyfit(np.log(spacings), np.log(errors), 1)[0]
    low, high = ORDERS[order]
    assert low < slopes[0] < high
    assert low < slopes[1] < high


# The floor: reproduction.md's relative l2 errors of the direct solve, on other nodes than ours.
FLOOR = {
    582: {2: 1.4e-2, 3: 6.3e-4, 4: 1.9e-4, 5: 1.7e-5},
    2236: {2: 3.9e-3, 3: 3.4e-5, 4: 2.2e-6, 5: 2.0e-7},
}


def direct_solve(cloud, order):
    S = vstack(
        [laplacian(cloud, order).to_scipy(), boundary_operator(cloud, order=order).to_scipy()]
    )
    f, g = wave_laplacian(cloud.collocation), wave_robin(cloud.boundary, cloud.normals)
    u = spsolve(S.tocsc(), np.concatenate([f, g]))[: len(cloud.collocation)]
    exact = wave(cloud.collocation)
    return np.linalg.norm(u - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("count", FLOOR)
def test_direct_solve_reaches_the_floor(count, order):
    # Other nodes, so a factor; observed 0.3 to 1.6. One order less, or h twice as large, costs
    # more than 4.
    assert FLOOR[count][order] / 5 < direct_solve(disk(count), order) < 3 * FLOOR[count][order]


def test_near_ghosts_beat_far_ones():
    near, far = (direct_solve(disk(2236, ghost_distance=g), 5) for g in (0.25, 1.0))
    assert near < far
