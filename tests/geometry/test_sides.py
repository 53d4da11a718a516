"""Sides: at corners and creases every piece that meets has its own normal and its own part."""

import numpy as np
import pytest

from dtpinn.geometry import (
    Ball,
    Box,
    ClosedCurve,
    Disk,
    Implicit,
    Polygon,
    Rectangle,
    TriangleMesh,
)
from dtpinn.geometry.sides import Sides, united_sides
from tests.geometry.gallery import bite, domains, half_disk
from tests.geometry.solids import cube_mesh, cut_ball, two_balls
from tests.marks import mostly_full


def at_corners(walk):
    """Points of sides, their normals and names, of those points that have several."""
    rows = walk.sides.several(len(walk))[walk.sides.point]
    names = np.array(walk.names)[walk.sides.part[rows]]
    return walk.points[walk.sides.point[rows]], walk.sides.normals[rows], names


PLANAR = domains()


@pytest.mark.parametrize("name", PLANAR)
@pytest.mark.parametrize("share", [1 / 13, 1 / 41.7])
def test_every_side_in_the_plane_is_that_of_an_arc_there(name, share):
    """Against the arcs: at each corner that is a node both, elsewhere one."""
    domain = PLANAR[name]
    size = np.ptp(domain.bounds, axis=0).max()
    walk = domain.walk_boundary(share * size)
    several = walk.sides.several(len(walk))
    for before, after in _neighbours(domain):
        corner = after.at(np.zeros(1))[0]
        distance = np.linalg.norm(walk.points - corner, axis=1)
        node = np.argmin(distance)
        wanted = [before.part, after.part]
        normals = [before.normal_at(np.ones(1))[0], after.normal_at(np.zeros(1))[0]]
        if (wanted[0] == wanted[1]) and normals[0] @ normals[1] > 0.9987:
            continue
        assert distance[node] < 1e-9 * size
        rows = walk.sides.point == node
        for part, normal in zip(wanted, normals, strict=True):
            match = np.linalg.norm(walk.sides.normals[rows] - normal, axis=1) < 1e-12
            assert domain.parts[part] in np.array(walk.names)[walk.sides.part[rows][match]]
        several[node] = False
    assert not several.any()
    # Everywhere else the side is the point's own.
    alone = ~walk.sides.several(len(walk))[walk.sides.point]
    point = walk.sides.point[alone]
    np.testing.assert_array_equal(walk.sides.normals[alone], walk.normals[point])
    np.testing.assert_array_equal(walk.sides.part[alone], walk.part[point])


def _neighbours(domain):
    """Each arc with the one before it."""
    curves = domain.boundary_curves()
    return [(curve[number - 1], arc) for curve in curves for number, arc in enumerate(curve)]


def test_corners_of_curves_that_are_given_by_functions_have_both_normals():
    for domain, exact in (
        (
            ClosedCurve(half_disk, corners=[0.0, 0.5]),
            {1: [[1, 0], [0, -1]], -1: [[0, -1], [-1, 0]]},
        ),
        (Implicit(bite, [[-1, -1], [1, 1]]), None),
    ):
        points, normals, _ = at_corners(domain.walk_boundary(0.11))
        if exact is None:
            # Where the circles cross: outwards from the first, inwards to the second.
            np.testing.assert_allclose(np.abs(points[:, 1]), np.sqrt(1 - 0.82**2), atol=1e-9)
            out, into = points, (np.array([1, 0]) - points) / 0.6
            error = np.minimum(*(np.linalg.norm(normals - x, axis=1) for x in (out, into)))
            assert (len(points), error.max() < 1e-6) == (4, True)
            assert abs(np.sum(normals[0] * normals[1])) < 0.9
        else:
            assert len(points) == 4
            for point, normal in zip(points, normals, strict=True):
                gap = np.linalg.norm(np.array(exact[round(point[0])]) - normal, axis=1)
                assert gap.min() < 1e-9


@pytest.mark.parametrize(
    ("domain", "place", "wanted"),
    [
        # The two horns of a moon end in one place: a node for each.
        (
            Disk() - Disk(0.5, (0.5, 0.0)),
            (1, 0),
            2 * [("circle", 1, 0), ("circle_2", -1, 0)],
        ),
        # Two loops that touch at their corners: one node, the sides of all.
        (
            Rectangle() | Rectangle((1, 1), (2, 2)),
            (1, 1),
            [("right", 1, 0), ("top", 0, 1), ("left_2", -1, 0), ("bottom_2", 0, -1)],
        ),
        # A hole is one part; its corners are corners.
        (
            Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], holes=[[(1, 1), (2, 1), (2, 2), (1, 2)]]),
            (1, 2),
            [("hole0", 1, 0), ("hole0", 0, -1)],
        ),
    ],
)
def test_where_loops_touch_and_at_holes(domain, place, wanted):
    walk = domain.walk_boundary(0.2)
    points, normals, names = at_corners(walk)
    here = np.linalg.norm(points - place, axis=1) < 1e-9
    told = zip(names[here].tolist(), *(normals[here].round(9) + 0.0).T, strict=True)
    assert sorted(told) == sorted(wanted)
    horns = 2 if len(set(wanted)) < len(wanted) else 1
    assert np.sum(np.linalg.norm(walk.points - place, axis=1) < 1e-9) == horns


def test_a_corner_that_is_dropped_leaves_its_nodes_the_normals_of_their_own_arcs():
    chamfered = Polygon([(0, 0), (0.98, 0), (1, 0.02), (1, 1), (0, 1)])
    walk = chamfered.walk_boundary(0.1)
    points, normals, names = at_corners(walk)
    # One of the two ends of the chamfer is a node; it knows the chamfer.
    near = np.linalg.norm(points - [1, 0], axis=1) < 0.05
    assert near.sum() == 2
    assert "edge1" in names[near]
    half = np.sqrt(0.5)
    np.testing.assert_allclose(normals[near][names[near] == "edge1"], [[half, -half]], atol=1e-12)


def test_a_part_that_reaches_a_little_round_the_corner_has_no_side_there():
    top = {"lid": lambda x: x[..., -1] > 0.99}
    for domain in (Rectangle(), Box()):
        walk = domain.with_parts(top).walk_boundary(0.11)
        lid = walk.sides.part == walk.names.index("lid")
        up = np.eye(domain.dimension)[-1]
        np.testing.assert_array_equal(walk.sides.normals[lid], np.tile(up, (lid.sum(), 1)))
        high = walk.points[:, -1] > 0.99
        assert set(walk.sides.point[lid]) == set(np.flatnonzero(high))
        # The rim's other sides are the walls', and the name of the old top is gone.
        walls = high[walk.sides.point] & ~lid
        assert walls.sum() >= 2
        assert set(walk.sides.part[walls]) == set(range(len(walk.names))) - {
            walk.names.index("lid"),
            walk.names.index("bottom"),
        }
        assert "top" not in walk.names


def test_a_part_ends_on_a_smooth_boundary_in_a_node_of_both():
    walk = Disk().with_parts({"hot": lambda x: x[:, 0] > 0.3}).walk_boundary(0.1)
    points, normals, names = at_corners(walk)
    np.testing.assert_allclose(points[:, 0], 0.3, atol=1e-12)
    np.testing.assert_allclose(normals, points, atol=1e-12)
    assert sorted(names) == ["circle", "circle", "hot", "hot"]


def cylinder(x):
    return np.maximum(np.hypot(x[:, 0], x[:, 1]) - 1.0, np.abs(x[:, 2]) - 0.5)


L_PRISM = Box((0, 0, 0), (2, 2, 1)) - Box((1, 1, -1), (3, 3, 2))
CROSSED = Box() | Box((0.5, 0.5, 0.5), (1.5, 1.5, 1.5))


@pytest.mark.parametrize("h", mostly_full([0.09, 0.17, 0.29], {0.17}.__contains__))
@pytest.mark.parametrize(
    ("domain", "length", "edges", "corners"),
    [
        (Box(), 12.0, 12, 8),
        (TriangleMesh(*cube_mesh()), 12.0, 12, 8),
        (L_PRISM, 22.0, 18, 12),
        (CROSSED, 24.0, 30, 20),
    ],
)
def test_edges_have_two_sides_and_corners_three_with_the_normals_of_the_faces(
    domain, length, edges, corners, h
):
    walk = domain.walk_boundary(h)
    count = np.bincount(walk.sides.point)
    assert (count == 3).sum() == corners
    # All edges are found: they have as many steps as their length asks for.
    assert (count == 2).sum() + edges == pytest.approx(length / h, rel=0.15)
    assert count.max() == 3
    if domain is L_PRISM:  # of the box cut out two faces are left
        assert walk.names == (*Box().parts, "left_2", "front_2")
    # Faces are square to the axes, no side comes twice, and each lies on the plane of its part.
    normals = np.abs(walk.sides.normals)
    assert np.sort(normals, axis=1)[:, :2].max() < 1e-12
    told = np.column_stack([walk.sides.point, walk.sides.normals.round(6)])
    assert len(np.unique(told, axis=0)) == len(told)
    for part in range(len(walk.names)):
        rows = walk.sides.part == part
        if rows.any():
            axis = np.argmax(normals[rows], axis=1)
            assert (axis == axis[0]).all()
            assert np.ptp(walk.points[walk.sides.point[rows], axis[0]]) < 1e-9


@pytest.mark.parametrize("h", mostly_full([0.31, 0.2, 0.1], {0.2}.__contains__))
def test_rims_of_curved_faces_have_the_exact_normals_and_parts(h):
    ball = Box((-1, -1, -1), (1, 1, 1)) - Ball(0.6, (1.0, 0.1, 0.0))
    plane = np.array([0.6, 0.0, 0.8])
    for domain, first, second in (
        (ball, ("right", lambda x: np.tile([1.0, 0, 0], (len(x), 1))),
         ("sphere", lambda x: (np.array([1.0, 0.1, 0.0]) - x) / 0.6)),
        (cut_ball(), ("sphere", lambda x: x), ("plane", lambda x: np.tile(plane, (len(x), 1)))),
        (two_balls(), ("a", lambda x: x), ("b", lambda x: (x - [1.0, 0.1, 0.2]) / 0.8)),
        (Implicit(cylinder, [[-1, -1, -0.5], [1, 1, 0.5]]),
         ("boundary", lambda x: x * [1, 1, 0]), ("boundary", lambda x: x * [0, 0, 2])),
    ):  # fmt: skip
        walk = domain.walk_boundary(h)
        points, normals, names = at_corners(walk)
        errors = np.stack(
            [np.linalg.norm(normals - exact(points), axis=1) for _, exact in (first, second)]
        )
        rim = errors.min(axis=0) < 0.1  # of the box's own edges another test tells
        if domain is ball:
            rim &= np.abs(np.linalg.norm(points - [1.0, 0.1, 0.0], axis=1) - 0.6) < 1e-7
        assert rim.sum() >= 8
        assert errors.min(axis=0)[rim].max() < 1e-6
        which = errors.argmin(axis=0)[rim]
        assert (names[rim] == np.array([first[0], second[0]])[which]).all()
        assert which.sum() * 2 == rim.sum()


def test_sides_of_points_that_became_one_are_told_once():
    normals = np.array([[1.0, 0.0], [0.0, 1.0], [np.cos(0.02), np.sin(0.02)], [1.0, 0.0]])
    sides = united_sides(Sides.one_each(normals, np.array([0, 0, 0, 1])), np.array([1, 1, 1, 0]))
    assert sides.point.tolist() == [0, 1, 1]
    assert sides.part.tolist() == [1, 0, 0]
    np.testing.assert_allclose(sides.normals[1], [np.cos(0.01), np.sin(0.01)])


def test_sides_go_with_their_domain():
    square = Rectangle().walk_boundary(0.3)
    moved = Rectangle().rotate(0.5).scale(2.0).translate((3.0, 1.0)).walk_boundary(0.6)
    turn = np.array([[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]])
    np.testing.assert_allclose(moved.sides.normals, square.sides.normals @ turn, atol=1e-15)
    np.testing.assert_array_equal(moved.sides.part, square.sides.part)
