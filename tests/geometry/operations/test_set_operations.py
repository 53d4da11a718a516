import pickle
from functools import reduce

import numpy as np
import pytest
from scipy.spatial import cKDTree

import dtpinn
from dtpinn.geometry import (
    Ball,
    Boundary,
    Box,
    Difference,
    Disk,
    Domain,
    Intersection,
    Interval,
    Polygon,
    Rectangle,
    Union,
)
from tests.geometry.gallery import L_SHAPE

SQUARE = Rectangle((0, 0), (1, 1))


def test_the_operators_make_the_classes():
    assert Disk() | SQUARE == Union(Disk(), SQUARE)
    assert Disk() & SQUARE == Intersection(Disk(), SQUARE)
    assert Disk() - SQUARE == Difference(Disk(), SQUARE)
    assert repr(SQUARE - Disk(0.1)).startswith("Difference(left=Rectangle(lower=(0.0, 0.0)")


@pytest.mark.parametrize("right", [Disk(0.8, (0.7, 0.3)), SQUARE, Polygon(L_SHAPE), Disk(0.2)])
def test_a_point_is_inside_as_the_operation_says(right, rng):
    left = Disk()
    points = rng.uniform(-1.5, 2, (5000, 2))
    a, b = left.contains(points), right.contains(points)
    np.testing.assert_array_equal((left | right).contains(points), a | b)
    np.testing.assert_array_equal((left & right).contains(points), a & b)
    np.testing.assert_array_equal((left - right).contains(points), a & ~b)


def test_the_distance_is_exact_where_the_minimum_of_two_is_not():
    pair = Disk() | Disk(1.0, (1.9, 0.0))
    between = [[0.95, 0.0]]  # 0.05 inside each disk, but far from where the circles cross
    assert pair.signed_distance(between) == pytest.approx([-np.sqrt(1 - 0.95**2)], abs=1e-12)


def test_every_crossing_is_one_node_to_round_off():
    disks = [Disk(0.8, (np.cos(k), np.sin(k))) for k in 2 * np.pi / 5 * np.arange(5)]
    flower = reduce(Domain.__or__, disks)
    walk = flower.walk_boundary(0.05)
    near = cKDTree(walk.points)
    for first, second in zip(disks, disks[1:] + disks[:1], strict=True):
        middle = 0.5 * (np.array(first.center) + second.center)
        half = 0.5 * np.linalg.norm(np.array(first.center) - second.center)
        for side in (1, -1):  # the outer crossing, and the one that the ring has inside
            corner = middle * (1 + side * np.sqrt(0.64 - half**2) / np.linalg.norm(middle))
            if abs(flower.signed_distance(corner[None])[0]) < 1e-9:
                assert near.query(corner)[0] < 1e-11
                assert len(near.query_ball_point(corner, 0.02)) == 1
    assert sum(len(curve) for curve in flower.boundary_curves()) >= 5


def test_names_that_clash_get_the_next_number():
    three = Disk() | Disk(1.0, (1.0, 0.0)) | Disk(1.0, (0.5, 0.8))
    assert three.parts == ("circle", "circle_2", "circle_3")
    assert (SQUARE - Disk(0.5)).parts == ("left", "right", "bottom", "top", "circle")


def test_a_part_of_which_nothing_is_left_is_no_part():
    assert (Disk() | Disk(0.2)).parts == ("circle",)
    assert (Disk(0.2) | Disk()).parts == ("circle_2",)


@pytest.mark.parametrize(
    ("domain", "loops"),
    [
        (Disk() - Disk(0.5, (0.5, 0.0)), 2),  # touching from inside
        (Disk() | Disk(1.0, (2.0, 0.0)), 2),  # touching from outside
        (Disk() | Disk(0.5, (0.0, 0.5)), 1),
        (Disk() & Disk(0.5, (0.0, 0.5)), 1),
        (Disk() | Disk(0.4, (5.0, 5.0)), 2),  # apart
        (Disk() - Disk(0.4, (5.0, 5.0)), 1),
        (Disk() | Disk(), 1),  # the same
        (Disk() & Disk(), 1),
    ],
)
def test_contacts_do_not_cut_a_curve(domain, loops):
    assert [len(curve) for curve in domain.boundary_curves()] in ([1] * loops, [2])
    walk = domain.walk_boundary(0.1)
    assert np.abs(domain.signed_distance(walk.points)).max() < 1e-10
    dtpinn.place_nodes(domain, 0.1)


@pytest.mark.parametrize(
    ("domain", "area", "corners"),
    [
        (SQUARE - Rectangle((0, 0.5), (1, 1)), 0.5, 4),
        (SQUARE - Rectangle((0, 1), (1, 2)), 1.0, 4),
        (SQUARE - Rectangle((0.5, 0.5), (1, 1)), 0.75, 6),
        (SQUARE | Rectangle((1, 0), (2, 1)), 2.0, 4),
        (SQUARE | Rectangle((1, 0.2), (2, 0.6)), 1.4, 8),
        (SQUARE | Rectangle((0.5, 0), (2, 1)), 2.0, 4),
        (SQUARE & Rectangle((0.5, 0), (2, 1)), 0.5, 4),
        (SQUARE | Rectangle((1, 1), (2, 2)), 2.0, 8),  # touching in a corner
        (Polygon([(0, 0), (1, 0), (1, 1)]) | Polygon([(0, 0), (1, 1), (0, 1)]), 1.0, 4),
    ],
)
def test_common_edges_leave_no_seam(domain, area, corners):
    total, turns = 0.0, 0
    for curve in domain.boundary_curves():
        ends = np.concatenate([arc.at(np.zeros(1)) for arc in curve])
        x, y = (ends - ends[0]).T
        total += 0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))
        normals = np.concatenate([arc.normal_at(np.zeros(1)) for arc in curve])
        turns += int(np.sum(np.abs(normals - np.roll(normals, 1, axis=0)).max(axis=1) > 1e-6))
    assert total == pytest.approx(area, abs=1e-9)
    assert turns == corners


def test_where_two_rectangles_met_it_is_deep_inside(rng):
    both = SQUARE | Rectangle((1, 0), (2, 1))
    on_the_seam = np.column_stack([np.ones(50), np.linspace(0.01, 0.99, 50)])
    expected = np.minimum(on_the_seam[:, 1], 1 - on_the_seam[:, 1])
    np.testing.assert_allclose(both.signed_distance(on_the_seam), -expected, atol=1e-12)


def test_nearly_touching_disks_unite_or_are_refused(rng):
    """Whatever the overlap, the boundary closes."""
    for _ in range(15):
        angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1)
        overlap = 10.0 ** rng.uniform(-12, -3) * rng.choice([-1, 1])
        reach = 1 + radius - overlap
        other = Disk(radius, (reach * np.cos(angle), reach * np.sin(angle)))
        for domain in (Disk() | other, Disk() - other):
            walk = domain.walk_boundary(0.05)
            assert np.abs(domain.signed_distance(walk.points)).max() < 1e-10


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Disk(), Disk(0.2, (5.0, 5.0))),
        (Disk(), Disk(1.0, (2.0, 0.0))),
        (Interval(), Interval(2, 3)),
    ],
)
def test_an_intersection_without_a_point_is_refused(left, right):
    with pytest.raises(ValueError, match="nothing is left of the intersection of"):
        left & right


@pytest.mark.parametrize("domain", [Disk(), SQUARE, Interval()])
def test_a_difference_without_a_point_is_refused(domain):
    with pytest.raises(ValueError, match="nothing is left of the difference of"):
        domain - domain


def test_balls_that_do_not_meet_have_no_intersection():
    with pytest.raises(ValueError, match="nothing is left"):
        Ball() & Ball(1.0, (3.0, 0.0, 0.0))


def test_domains_of_different_dimension_are_refused():
    with pytest.raises(ValueError, match=r"domains of equal dimension; got .* 2-D and .* 1-D"):
        Disk() | Interval()


def test_what_is_no_domain_is_refused():
    with pytest.raises(TypeError, match="unsupported operand"):
        Disk() | 1.0
    with pytest.raises(TypeError, match="Union is of two domains, such as Disk"):
        Union(Disk(), 1.0)


def test_on_the_line_the_ends_are_kept():
    three = Interval(0, 1) | Interval(1, 2) | Interval(3, 4)
    assert sorted(three.walk_boundary(0.1).points[:, 0]) == [0, 2, 3, 4]
    np.testing.assert_allclose(three.signed_distance([[1.0], [2.5], [3.25]]), [-1, 0.5, -0.25])
    np.testing.assert_array_equal(three.bounds, [[0], [4]])
    cut = Interval(0, 4) - Interval(1, 2)
    walk = cut.walk_boundary(0.1)
    ends = {walk.points[i, 0]: (walk.normals[i, 0], walk.names[walk.part[i]]) for i in range(4)}
    assert ends == {0: (-1, "left"), 1: (1, "left_2"), 2: (-1, "right_2"), 4: (1, "right")}
    assert dtpinn.place_nodes(cut, 0.1).interior.shape == (28, 1)


def test_in_space_the_distance_is_the_minimum_or_maximum(rng):
    left, right = Ball(), Ball(0.6, (1.0, 0.0, 0.0))
    points = rng.uniform(-2, 2, (1000, 3))
    a, b = left.signed_distance(points), right.signed_distance(points)
    np.testing.assert_array_equal((left | right).signed_distance(points), np.minimum(a, b))
    np.testing.assert_array_equal((left & right).signed_distance(points), np.maximum(a, b))
    np.testing.assert_array_equal((left - right).signed_distance(points), np.maximum(a, -b))


def test_in_space_the_boundary_has_the_normals_and_parts_of_both():
    bitten = Ball() - Ball(0.6, (1.0, 0.0, 0.0))
    points = [[-1.0, 0.0, 0.0], [0.4, 0.0, 0.0]]
    np.testing.assert_allclose(bitten.normal(points), [[-1, 0, 0], [1, 0, 0]], atol=1e-9)
    assert [bitten.parts[i] for i in bitten.nearest_part(points)] == ["sphere", "sphere_2"]
    walk = bitten.walk_boundary(0.2)
    assert set(walk.names) == {"sphere", "sphere_2"}
    assert np.abs(bitten.signed_distance(walk.points)).max() < 1e-8
    np.testing.assert_array_equal((Ball() | Ball(1.0, (3.0, 0.0, 0.0))).bounds[:, 0], [-1, 4])


class Egg(Domain):
    """Somebody's own domain, which knows nothing of curves."""

    dimension = 2
    parts = ("shell",)
    bounds = np.array([[-1.0, -1.0], [1.0, 1.0]])

    def signed_distance(self, points):
        return np.hypot(*np.asarray(points).T) - 1.0

    def walk_boundary(self, spacing):
        return Boundary([[1.0, 0.0]], [[1.0, 0.0]], [0], self.parts)


def test_somebodys_own_domain_is_traced(rng):
    points = rng.uniform(-1.5, 1.5, (500, 2))
    own, known = Egg() - SQUARE, Disk() - SQUARE
    np.testing.assert_allclose(
        own.signed_distance(points), known.signed_distance(points), atol=1e-10
    )
    assert own.parts == ("shell", "left", "bottom")


def test_a_combination_can_be_copied_and_pickled():
    plate = SQUARE - Disk(0.5)
    again = pickle.loads(pickle.dumps(plate))
    assert again == plate
    np.testing.assert_array_equal(again.walk_boundary(0.1).points, plate.walk_boundary(0.1).points)


@pytest.mark.parametrize(
    "domain",
    [Box() | Box((1, 0, 0), (2, 1, 1)), Box() - Box((0.5, 0, 0.5), (1, 1, 1))],
)
def test_in_space_a_common_face_that_is_no_boundary_is_refused(domain):
    with pytest.raises(ValueError, match=r"the boundaries of Box.* coincide, as at"):
        domain.walk_boundary(0.15)
