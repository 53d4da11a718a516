"""Interpolation and derivatives at points that are no nodes."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.rbffd import assemble, interpolation, laplacian, offcentre, operator
from dtpinn.rbffd import differential as D
from tests.rbffd.clouds import box, disk, monomial, wave, wave_laplacian

EPS = np.finfo(float).eps


def inside(count, radius=1.0, seed=0):
    rng = np.random.default_rng(seed)
    r, angle = radius * np.sqrt(rng.random(count)), 2 * np.pi * rng.random(count)
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


# Odd orders have an even degree and gain up to one order.
@pytest.mark.parametrize(("order", "low", "high"), [(2, 1.8, 2.7), (3, 2.8, 4.3), (4, 3.7, 5.0)])
def test_observed_order_of_interpolation(order, low, high):
    points = inside(3000)
    spacings, errors = [], []
    for count in (400, 900, 2000):
        nodes = disk(count)
        M = interpolation(nodes, points, order).to_scipy()
        assert M.shape == (3000, len(nodes.extended))
        spacings.append(nodes.spacing)
        errors.append(np.sqrt(np.mean((M @ wave(nodes.extended) - wave(points)) ** 2)))
    assert low < np.polyfit(np.log(spacings), np.log(errors), 1)[0] < high


def test_derivatives_at_points_are_as_accurate_as_at_nodes():
    nodes, points = disk(1500), inside(500)
    u = wave(nodes.extended)
    there = operator(nodes, D.laplacian, 4, at=points).to_scipy() @ u - wave_laplacian(points)
    here = laplacian(nodes, 4).to_scipy() @ u - wave_laplacian(nodes.collocation)
    assert np.sqrt(np.mean(there**2)) < 2 * np.sqrt(np.mean(here**2))


def test_at_a_node_interpolation_is_its_value_and_a_derivative_that_of_its_row():
    nodes = disk(300)
    rows = np.array([0, 250, 299, 310])
    values = interpolation(nodes, nodes.extended[rows], 4).to_scipy().toarray()
    assert np.array_equal(values, np.eye(len(nodes.extended))[rows])
    at_rows = assemble(nodes, {"L": D.laplacian}, rows, 4)
    at_points = assemble(nodes, {"L": D.laplacian}, nodes.extended[rows], 4)
    assert np.array_equal(at_points.matrices["L"].indices, at_rows.matrices["L"].indices)
    limit = EPS * at_rows.condition.max() * abs(at_rows.matrices["L"]).max()
    assert abs(at_points.matrices["L"] - at_rows.matrices["L"]).max() < limit


def test_points_share_the_stencil_of_their_nearest_node(monkeypatch):
    nodes, points = disk(300), inside(2000)
    counts, solve = [], offcentre._solve

    def recorded(stencils, places, *arguments):
        counts.append(len(stencils))
        return solve(stencils, places, *arguments)

    monkeypatch.setattr(offcentre, "_solve", recorded)
    interpolation(nodes, points, 3)
    nearest = cKDTree(nodes.extended).query(points)[1]
    assert sum(counts) <= len(np.unique(nearest)) + 2000 // offcentre.PLACES


def test_a_thousand_points_beside_one_node_are_what_each_would_be_alone():
    # Several times what one factorisation serves, in an order that is not that of the stencils.
    assert offcentre.PLACES < 500
    nodes = disk(300)
    crowd = nodes.extended[7] + 0.01 * inside(1000)
    points = np.concatenate([crowd[:500], inside(3, 0.5, seed=1), crowd[500:]])
    M = interpolation(nodes, points, 3).to_scipy()
    for row in (0, 250, 499, 500, 501, 502, 503, 1002):
        alone = interpolation(nodes, points[row : row + 1], 3).to_scipy()
        assert np.array_equal(np.sort(alone.indices), np.sort(M[[row]].indices))
        assert abs(M[[row]] - alone).max() < 1e-11


def test_threads_do_not_change_a_bit():
    nodes, points = disk(300), inside(700)
    one, two = (interpolation(nodes, points, 4, threads=t).to_scipy() for t in (1, 2))
    assert np.array_equal(one.data, two.data)


def test_no_points_are_an_empty_matrix():
    assert interpolation(disk(100), np.empty((0, 2)), 2).shape == (0, len(disk(100).extended))


@pytest.mark.parametrize("order", [2, 4, 6])
def test_beyond_the_cloud_is_refused_and_its_edge_is_not(order):
    nodes = disk(400)
    edge = inside(400)
    edge /= np.linalg.norm(edge, axis=1, keepdims=True)
    interpolation(nodes, edge * (1 + 0.5 * nodes.spacing), order)
    points = np.concatenate([inside(5), 1.5 * edge[:2], 3 * edge[:1]])
    message = r"row 7 at \[.*\] is 1\.99 from its nearest .* \(3 of 8 rows are too far\)"
    with pytest.raises(ValueError, match=message):
        interpolation(nodes, points, order)


def test_a_hole_is_beyond_the_cloud_too():
    nodes = disk(1500)
    far = np.linalg.norm(nodes.extended, axis=1) > 0.3
    with pytest.raises(ValueError, match="points must lie within the cloud; row 0"):
        interpolation(SimpleNamespace(extended=nodes.extended[far]), np.zeros((1, 2)), 3)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_nowhere_within_a_cloud_is_refused(dimension):
    cloud = box(dimension, {1: 60, 2: 15, 3: 8}[dimension], jitter=0.8)
    rng = np.random.default_rng(0)
    points = rng.uniform(0.0, 1.0 - cloud.spacing, (2000, dimension))
    M = interpolation(cloud, points, 2).to_scipy()
    linear = (1,) + (0,) * (dimension - 1)
    nothing = (0,) * dimension
    got = M @ monomial(cloud.extended, linear, nothing)
    np.testing.assert_allclose(got, monomial(points, linear, nothing), atol=1e-10)


def test_degenerate_stencils_grow_here_too():
    axis = np.linspace(0.0, 1.0, 20)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    nodes = SimpleNamespace(extended=points)
    places = points[:40] + 0.01
    with pytest.warns(UserWarning, match="determine no weights"):
        built = assemble(nodes, {"L": D.laplacian}, places, 6)
    x, y = points.T
    got = built.matrices["L"] @ (x**3 + x * y**2)
    np.testing.assert_allclose(got, 8 * places[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros(2), r"must have shape \(n, 2\).*pass points\[None, :\]"),
        (np.zeros((3, 3)), r"must have shape \(n, 2\).*got shape \(3, 3\)"),
        ([[0.0, np.nan]], "points must be finite; it is NaN or infinite in row 0"),
    ],
)
def test_bad_points(points, message):
    with pytest.raises(ValueError, match=message):
        interpolation(disk(100), points)
