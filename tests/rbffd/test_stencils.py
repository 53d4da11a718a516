import numpy as np
import pytest

from dtpinn.rbffd.stencils import find_stencils
from tests.rbffd.clouds import box, disk


def test_members_are_the_nearest_nodes_of_every_kind():
    points = disk(300).extended
    rows = np.array([0, 150, 299])
    stencils = find_stencils(points, rows, 21)
    distance = np.linalg.norm(points[rows][:, None] - points[None], axis=2)
    for row in range(3):
        nearest = np.argsort(distance[row], kind="stable")[:21]
        assert set(stencils.members[row]) == set(nearest)
        assert stencils.radius[row] == pytest.approx(np.sort(distance[row])[20], rel=1e-14)
    assert (stencils.members[2] >= 300).any()  # a boundary node's stencil has ghosts


def test_centre_comes_first():
    rows = np.array([7, 3, 3, 90])
    assert find_stencils(box(2, 12).extended, rows, 9).members[:, 0].tolist() == rows.tolist()


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_offsets_are_shifted_and_scaled(dimension):
    points = 1e3 + 1e-2 * box(dimension, 9).extended
    stencils = find_stencils(points, np.arange(9), 7)
    offsets = stencils.offsets(slice(2, 8))
    assert offsets.shape == (6, 7, dimension)
    assert not offsets[:, 0].any()
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=2).max(axis=1), 1.0, rtol=1e-12)


def test_threads_do_not_change_the_stencils():
    points = box(3, 10, jitter=0.0).extended  # a grid is full of ties
    one, two = (find_stencils(points, np.arange(500), 41, threads=t) for t in (1, 2))
    assert np.array_equal(one.members, two.members)
    assert np.array_equal(one.radius, two.radius)


def test_one_node_is_a_stencil():
    stencils = find_stencils(box(2, 3).extended, np.array([4]), 1)
    assert stencils.members.tolist() == [[4]]


def test_too_few_nodes():
    with pytest.raises(ValueError, match=r"a stencil needs 21 nodes and there are only 16: place"):
        find_stencils(box(2, 4).extended, np.arange(3), 21)


def test_coinciding_nodes_are_named_whichever_comes_first():
    points = box(2, 8).extended
    points[40] = points[11]
    for rows in ([11], [40], [3, 40], np.arange(64)):
        with pytest.raises(ValueError, match=r"nodes (11 and 40|40 and 11) coincide at "):
            find_stencils(points, np.array(rows), 9)


def test_three_nodes_at_one_place():
    points = box(2, 8).extended
    points[[3, 40]] = points[11]
    for row in (3, 11, 40):
        with pytest.raises(ValueError, match=r"coincide at .*\(1 of 1 rows"):
            find_stencils(points, np.array([row]), 9)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.ones(5), r"shape \(n, d\).* d = 1, 2 or 3; got shape \(5,\)"),
        (np.ones((5, 4)), r"got shape \(5, 4\)"),
        (np.array([[0.0, 0.0], [np.inf, 1.0]]), "nodes must be finite; .* row 1"),
    ],
)
def test_bad_points(points, message):
    with pytest.raises(ValueError, match=message):
        find_stencils(points, np.array([0]), 1)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([0, 16], ValueError, r"rows must be indices from 0 to 15; rows\[1\] is 16"),
        ([-1], ValueError, r"rows\[0\] is -1"),
        ([0.0], TypeError, "rows must hold integers; got dtype float64"),
        ([[0]], ValueError, r"rows must be one-dimensional; got shape \(1, 1\)"),
        (np.ones(16, bool), TypeError, "got dtype bool"),
    ],
)
def test_bad_rows(rows, error, message):
    with pytest.raises(error, match=message):
        find_stencils(box(2, 4).extended, np.asarray(rows), 3)
