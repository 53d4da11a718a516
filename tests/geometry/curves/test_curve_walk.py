import numpy as np
import pytest
import shapely
from scipy.spatial import cKDTree

import dtpinn
from dtpinn.geometry import Disk, Polygon, Rectangle
from dtpinn.geometry.curves.curve_walk import walk_curves
from tests.geometry.gallery import L_SHAPE, domains
from tests.marks import mostly_full

DOMAINS = domains()
SHARES = mostly_full([1 / 20, 1 / 37.3, 1 / 90], lambda share: share == 1 / 37.3)


def size_of(domain):
    return np.ptp(domain.bounds, axis=0).max()


@pytest.fixture(params=DOMAINS)
def domain(request):
    return DOMAINS[request.param]


@pytest.mark.parametrize("share", SHARES)
def test_neighbours_are_a_spacing_apart(domain, share):
    spacing = share * size_of(domain)
    for curve in domain.boundary_curves():
        loop = walk_curves([curve], domain.parts, spacing, domain.bounds).points
        step = np.linalg.norm(loop - np.roll(loop, 1, axis=0), axis=1)
        assert step.min() >= 0.75 * spacing
        assert step.max() <= 1.25 * spacing


@pytest.mark.parametrize("share", SHARES)
def test_no_hole_on_the_boundary_is_wider_than_the_bound(domain, share):
    spacing = share * size_of(domain)
    everywhere = domain.walk_boundary(0.05 * spacing).points
    distance, _ = cKDTree(domain.walk_boundary(spacing).points).query(everywhere)
    assert distance.max() <= 0.65 * spacing  # a hole of 1.3 spacings, from its middle


@pytest.mark.parametrize("share", SHARES)
def test_nodes_lie_on_the_boundary_and_normals_point_outwards(domain, share):
    size = size_of(domain)
    walk = domain.walk_boundary(share * size)
    assert np.abs(domain.signed_distance(walk.points)).max() < 1e-10 * size
    np.testing.assert_allclose(np.linalg.norm(walk.normals, axis=1), 1.0, rtol=1e-14)
    # At corners too, where the mean normal still leads out on one side and in on the other.
    assert (domain.signed_distance(walk.points + 1e-6 * size * walk.normals) > 0).all()
    assert (domain.signed_distance(walk.points - 1e-6 * size * walk.normals) < 0).all()


def test_the_domain_tells_the_same_normals_and_parts_as_the_walk(domain):
    walk = domain.walk_boundary(size_of(domain) / 50)
    # The cubics of a table are exact to 1e-12 in the points, and so to some 1e-8 in the slopes.
    np.testing.assert_allclose(domain.normal(walk.points), walk.normals, atol=1e-7)
    names = np.array(domain.parts)[domain.nearest_part(walk.points)]
    assert names.tolist() == [walk.names[number] for number in walk.part]


def test_corners_are_nodes_once(domain):
    spacing = size_of(domain) / 25
    tree = cKDTree(domain.walk_boundary(spacing).points)
    for curve in domain.boundary_curves():
        for before, after in zip(curve, (*curve[1:], curve[0]), strict=True):
            corner = after.at(np.zeros(1))
            np.testing.assert_allclose(before.at(np.ones(1)), corner, atol=1e-9)
            cosine = np.sum(before.normal_at(np.ones(1)) * after.normal_at(np.zeros(1)))
            if cosine < 0.99:
                assert tree.query(corner[0])[0] < 1e-12
                assert len(tree.query_ball_point(corner[0], 0.4 * spacing)) == 1


def test_the_curves_run_with_the_domain_on_their_left(domain):
    """Green's formula: the area by the curves is the area of the points inside."""
    area = 0.0
    for curve in domain.boundary_curves():
        for arc in curve:
            points = arc.at(np.linspace(0, 1, 2001))
            x, y = points[:-1].T
            area += 0.5 * np.sum(x * np.diff(points[:, 1]) - y * np.diff(points[:, 0]))
    low, high = domain.bounds
    side = np.linspace(0, 1, 150, endpoint=False) + 1 / 300
    grid = low + np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2) * (high - low)
    assert area == pytest.approx(domain.contains(grid).mean() * np.prod(high - low), rel=0.01)


@pytest.mark.parametrize("share", mostly_full([1 / 20, 1 / 45], lambda share: share > 1 / 30))
def test_nodes_are_placed_at_several_spacings(domain, share):
    nodes = dtpinn.place_nodes(domain, share * size_of(domain))
    assert (domain.signed_distance(nodes.interior) < 0).all()
    assert set(nodes.parts) <= set(domain.parts)
    # The widest hole of the cloud as the domain tells it, not as a triangulation does.
    low, high = domain.bounds
    asked = np.random.default_rng(0).uniform(low, high, (20_000, 2))
    distance, _ = cKDTree(nodes.collocation).query(asked[domain.contains(asked)])
    assert distance.max() <= 1.3 * nodes.spacing


def test_the_same_walk_comes_twice(domain):
    first, second = (domain.walk_boundary(size_of(domain) / 33) for _ in range(2))
    np.testing.assert_array_equal(first.points, second.points)
    np.testing.assert_array_equal(first.normals, second.normals)


def test_a_spacing_may_vary_along_the_boundary(domain):
    low, _ = domain.bounds
    size = size_of(domain)

    def spacing(points):
        return 0.01 * size + 0.05 * np.linalg.norm(points - low, axis=1)

    for curve in domain.boundary_curves():
        walk = walk_curves([curve], domain.parts, spacing, domain.bounds)
        after = np.roll(walk.points, -1, axis=0)
        step = np.linalg.norm(after - walk.points, axis=1)
        # Over a step it changes by 5%, and by as much as that from its middle to its ends.
        middle = spacing(0.5 * (after + walk.points))
        assert (step >= 0.74 * middle).all()
        assert (step <= 1.27 * middle).all()


def test_of_two_corners_that_are_too_close_the_sharper_one_is_kept():
    # The corner at (2, -0.2) turns by 90 degrees, the one at (1.9, -0.2) by 6.
    nearly = Polygon([(0, 0), (1.9, -0.2), (2, -0.2), (2, 1), (0, 1)])
    points = nearly.walk_boundary(0.4).points
    assert cKDTree(points).query([2, -0.2])[0] < 1e-12
    assert cKDTree(points).query([1.9, -0.2])[0] > 0.05
    assert cKDTree(nearly.walk_boundary(0.1).points).query([1.9, -0.2])[0] < 1e-12


def test_a_polygon_of_many_short_edges_is_walked_like_a_curve():
    many = Polygon(Disk().walk_boundary(0.01).points)
    step = many.walk_boundary(0.123).points
    length = np.linalg.norm(step - np.roll(step, 1, axis=0), axis=1)
    assert np.ptp(length) < 0.01 * 0.123


def test_a_hole_much_smaller_than_the_spacing_has_three_nodes():
    walk = (Rectangle() - Disk(0.005, (0.5, 0.5))).walk_boundary(0.1)
    assert (walk.part == walk.names.index("circle")).sum() == 3


def _nodes_at(domain, place, spacing=0.1):
    walk = domain.walk_boundary(spacing)
    return walk.normals[cKDTree(walk.points).query_ball_point(place, 0.04 * spacing)]


def test_two_holes_that_all_but_touch_pinch_the_domain_to_one_node():
    holes = Rectangle((-1, -1), (1, 1)) - Disk(0.41, (-0.411, 0.0)) - Disk(0.41, (0.411, 0.0))
    assert len(_nodes_at(holes, [0.0, 0.0])) == 1


def test_two_rooms_that_all_but_touch_have_a_node_each():
    rooms = Disk(0.41, (-0.411, 0.0)) | Disk(0.41, (0.411, 0.0))
    np.testing.assert_allclose(_nodes_at(rooms, [0.0, 0.0]).sum(axis=0), 0.0, atol=1e-12)
    horns = Disk() - Disk(0.5, (0.5, 0.0))
    assert len(_nodes_at(horns, [1.0, 0.0])) == 2


@pytest.mark.parametrize("width", [0.001, 0.004, 0.01])
def test_a_wall_has_nodes_on_both_faces_however_thin_it_is(width):
    rooms = Rectangle((0, 0), (1, 1)) | Rectangle((1 + width, 0), (2, 1))
    walk = rooms.walk_boundary(0.1)
    near = np.abs(walk.points[:, 0] - 1 - width / 2) < 0.02
    assert (near & (walk.points[:, 0] < 1 + width / 2)).sum() == 11
    assert near.sum() == 22


@pytest.mark.parametrize("spacing", [0.2, 0.05, 0.002])
def test_the_names_of_parts_do_not_depend_on_the_spacing(spacing):
    domain = Polygon([(0, 0), (1, 0), (1, 0.5), (1, 0.51), (1, 1), (0, 1)])
    walk = domain.walk_boundary(spacing)
    assert walk.names == domain.parts
    there = set(walk.sides.part.tolist())
    assert there == ({0, 1, 3, 4, 5} if spacing > 0.01 else {0, 1, 2, 3, 4, 5})


def test_the_corner_belongs_to_the_part_that_the_walk_enters():
    walk = Rectangle().walk_boundary(0.25)
    part = {tuple(point): walk.names[i] for point, i in zip(walk.points, walk.part, strict=True)}
    assert part[0, 0] == "bottom"
    assert part[1, 0] == "right"
    assert part[1, 1] == "top"
    assert part[0, 1] == "left"


def test_the_normal_at_a_corner_is_the_mean_of_both_sides():
    walk = Polygon(L_SHAPE).walk_boundary(0.1)
    half = np.sqrt(0.5)
    at = cKDTree(walk.points)
    np.testing.assert_allclose(walk.normals[at.query([1, 0])[1]], [half, -half])
    np.testing.assert_allclose(walk.normals[at.query([0.5, 0.5])[1]], [half, half])


def test_the_walk_of_a_polygon_follows_its_ring():
    walk = Polygon(L_SHAPE).walk_boundary(0.05)
    assert shapely.Polygon(walk.points).area == pytest.approx(0.75, rel=1e-12)


@pytest.mark.parametrize("name", ["rectangle", "flower", "lens", "bite", "turned"])
def test_a_spacing_larger_than_the_domain_is_refused(name):
    domain = DOMAINS[name]
    with pytest.raises(ValueError, match="is larger than the domain"):
        domain.walk_boundary(3 * size_of(domain))


@pytest.mark.parametrize("spacing", [lambda x: np.full(len(x), np.nan), lambda x: -x[:, 0]])
def test_a_spacing_that_is_no_length_somewhere_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing must be positive and finite everywhere; at"):
        Rectangle((1, 1), (2, 2)).walk_boundary(spacing)


@pytest.mark.parametrize(
    "square",
    [Rectangle(), Rectangle((3, 7), (4, 8)), Rectangle().rotate(0.3)],
    ids=["unit", "moved", "turned"],
)
@pytest.mark.parametrize("half", [4.5, 6.5, 11.5])
def test_halves_of_a_step_go_up_on_every_side(square, half):
    """By round-off alone the four sides had 4 or 5 steps, 6 or 7, 11 or 12."""
    walk = square.walk_boundary(1 / half)
    assert np.bincount(walk.part).tolist() == [half + 0.5] * 4
