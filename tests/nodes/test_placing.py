from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Disk
from dtpinn.nodes import Nodes, place_nodes
from tests.marks import mostly_full
from tests.nodes.node_domains import Ball, Interval, Polygon, Ring, l_shape, rectangle

PLANE = {
    "disk": Disk(),
    "shifted disk": Disk(3.0, (10.0, -4.0)),
    "small disk": Disk(1e-3, (1.0, 1.0)),
    "rectangle": rectangle(),
    "L-shape": l_shape(),
    "ring": Ring(),
}
ALL = PLANE | {"ball": Ball(), "intervals": Interval((0.0, 1.0), (1.5, 3.0))}


@pytest.fixture(params=ALL, ids=lambda name: name.replace(" ", "-"))
def domain(request):
    return ALL[request.param]


@pytest.fixture
def nodes(request):
    return placed(request.node.callspec.params["domain"])


@cache
def placed(name):
    return place_nodes(ALL[name], count=800)


@pytest.mark.parametrize("count", mostly_full([100, 582, 2236], {100}.__contains__))
def test_the_count_is_met_to_within_two_percent(domain, count):
    assert abs(place_nodes(domain, count=count).count - count) <= 0.02 * count


@pytest.mark.parametrize("count", mostly_full([50_000, 200_000], lambda count: count < 100_000))
def test_large_counts_are_met_to_within_two_percent(count):
    assert abs(place_nodes(Disk(), count=count).count - count) <= 0.02 * count


def test_small_counts_are_met_one_after_the_other():
    for count in range(100, 200, 4):
        assert abs(place_nodes(Disk(), count=count).count - count) <= 0.02 * count


def test_interior_nodes_are_inside_by_half_a_spacing(domain, nodes):
    assert domain.signed_distance(nodes.interior).max() <= -0.5 * nodes.spacing


def test_boundary_nodes_are_those_of_the_walk(domain, nodes):
    walk = domain.walk_boundary(nodes.spacing)
    distance, row = cKDTree(walk.points).query(nodes.boundary)
    assert distance.max() == 0.0
    assert sorted(row) == list(range(len(walk)))
    np.testing.assert_array_equal(nodes.normals, walk.normals[row])
    np.testing.assert_array_equal(nodes.part, walk.part[row])
    assert nodes.parts == domain.parts


def test_normals_are_unit_and_point_outwards(domain, nodes):
    np.testing.assert_allclose(np.linalg.norm(nodes.normals, axis=1), 1.0, atol=1e-14)
    step = 0.05 * nodes.spacing * nodes.normals
    assert domain.signed_distance(nodes.boundary + step).min() > 0.0
    assert domain.signed_distance(nodes.boundary - step).max() < 0.0


def test_ghosts_lie_a_quarter_spacing_outside_their_boundary_node(domain, nodes):
    offset = nodes.ghost - nodes.boundary[nodes.ghost_of]
    # Round-off of the coordinates, absolute: the small disk lies 1 away from the origin.
    np.testing.assert_allclose(
        offset, 0.25 * nodes.spacing * nodes.normals[nodes.ghost_of], rtol=0, atol=1e-14
    )
    assert domain.signed_distance(nodes.ghost).min() > 0.0
    assert nodes.ghost_count == nodes.boundary_count


@pytest.mark.parametrize("name", PLANE)
@pytest.mark.parametrize("count", mostly_full([500, 5000], {500}.__contains__))
def test_nodes_in_the_plane_are_quasi_uniform(name, count):
    quality = place_nodes(PLANE[name], count=count).quality()
    # Below 1 only by the rounding of boundary steps, at most half a step in one walk of them.
    assert quality.separation >= 0.97
    assert quality.fill <= 1.13
    assert quality.ratio <= 1.2


@pytest.mark.parametrize("count", mostly_full([2236, 19638], {2236}.__contains__))
def test_nodes_on_the_disk_keep_their_spacing_and_leave_no_holes(count):
    nodes = place_nodes(Disk(), count=count)
    quality = nodes.quality()
    assert quality.separation >= 0.99
    assert quality.ratio <= 1.2
    assert np.linalg.norm(nodes.interior, axis=1).max() >= 1 - 1.01 * nodes.spacing


@pytest.mark.parametrize("seed", mostly_full([0, 1], {0}.__contains__))
def test_nodes_in_a_ball_are_quasi_uniform(seed):
    nodes = place_nodes(Ball(), count=5000, seed=seed)
    inner = cKDTree(nodes.interior).query(nodes.interior, k=2)[0][:, 1]
    assert inner.min() >= (1 - 1e-8) * nodes.spacing
    quality = nodes.quality()
    assert quality.fill <= 1.06
    assert quality.ratio <= 1.2


def test_nodes_on_the_line_are_equispaced():
    nodes = place_nodes(Interval((0.0, 1.0), (1.5, 3.0)), spacing=0.1)
    x = np.sort(nodes.collocation[:, 0])
    np.testing.assert_allclose(np.diff(x), [0.1] * 10 + [0.5] + [0.1] * 15, atol=1e-14)
    assert nodes.parts == ("end0", "end1", "end2", "end3")


def test_every_hole_near_the_boundary_is_narrow():
    # Sampled, independently of Quality: a strip along the circle.
    nodes = place_nodes(Disk(), count=5000)
    h = nodes.spacing
    rng = np.random.default_rng(1)
    radius, angle = 1 - 2 * h * rng.random(100_000), 2 * np.pi * rng.random(100_000)
    strip = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    assert cKDTree(nodes.collocation).query(strip)[0].max() <= 1.13 * h


def test_the_same_seed_gives_the_same_bits(domain, nodes):
    again = place_nodes(domain, count=800)
    assert again.spacing == nodes.spacing
    for name in ("interior", "boundary", "ghost", "normals", "part", "ghost_of"):
        assert getattr(again, name).tobytes() == getattr(nodes, name).tobytes()


def test_another_seed_gives_other_nodes_of_the_same_spacing():
    first, second = (place_nodes(Disk(), 0.1, seed=seed) for seed in (0, 1))
    assert (
        first.interior.shape != second.interior.shape or (first.interior != second.interior).any()
    )
    np.testing.assert_array_equal(first.boundary, second.boundary)


def test_nodes_scale_and_shift_with_the_disk():
    # By powers of two, so that scaling is exact.
    small, large = place_nodes(Disk(1.0), 0.125), place_nodes(Disk(4.0), 0.5)
    np.testing.assert_array_equal(4.0 * small.extended, large.extended)


def test_along_a_slit_both_faces_keep_their_ghosts_but_at_its_end():
    slit = Polygon((-1, -1), (1, -1), (1, -0.01), (0, 0), (1, 0.01), (1, 1), (-1, 1))
    nodes = place_nodes(slit, spacing=0.1)
    assert isinstance(nodes, Nodes)
    left_out = np.setdiff1d(np.arange(nodes.boundary_count), nodes.ghost_of)
    assert 0 < len(left_out) <= 10
    assert np.linalg.norm(nodes.boundary[left_out], axis=1).max() < 0.5


def test_the_parts_keep_their_names_and_rows():
    nodes = place_nodes(Ring(0.3, (0.2, 0.1)), spacing=0.1)
    inner = nodes.boundary[nodes.part_rows("inner")]
    np.testing.assert_allclose(np.linalg.norm(inner - [0.2, 0.1], axis=1), 0.3)
    outer = nodes.boundary[nodes.part_rows("outer")]
    np.testing.assert_allclose(np.linalg.norm(outer, axis=1), 1.0)


def test_neighbours_in_the_file_are_neighbours_in_space():
    nodes = place_nodes(Disk(), count=5000)
    step = np.linalg.norm(np.diff(nodes.interior, axis=0), axis=1)
    # A Hilbert curve steps to a touching cell; in random order the median step would be 0.9.
    assert np.median(step) <= 2 * nodes.spacing


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "exactly one of spacing and count"),
        ({"spacing": 0.1, "count": 100}, TypeError, "exactly one of spacing and count"),
        ({"spacing": "fine"}, TypeError, "spacing must be a number"),
        ({"spacing": -0.1}, ValueError, "spacing must be finite and positive"),
        ({"spacing": np.nan}, ValueError, "spacing must be finite and positive"),
        ({"spacing": 3.0}, ValueError, "larger than the domain"),
        ({"spacing": 1e-6}, ValueError, "asks for about"),
        ({"spacing": 1.99}, ValueError, "no room for interior nodes"),
        ({"count": 10}, ValueError, "must be at least 50"),
        ({"count": 10**12}, ValueError, "at most"),
        ({"count": 1e3}, TypeError, "count must be an integer, got 1000"),
        ({"spacing": 0.1, "seed": -1}, ValueError, "seed must be an integer of at least 0; got -1"),
        ({"spacing": 0.1, "seed": 0.5}, TypeError, "seed must be an integer, got 0.5"),
        (
            {"spacing": 0.1, "ghost_distance": 0.0},
            ValueError,
            "ghost_distance must be finite and positive",
        ),
        (
            {"spacing": 0.1, "ghost_distance": 5.0},
            ValueError,
            "from 0.01 to 2; got ghost_distance=5",
        ),
        ({"spacing": 0.1, "ghost_distance": 1e-9}, ValueError, "from 0.01 to 2"),
    ],
)
def test_what_cannot_be_placed_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        place_nodes(Disk(), **arguments)


def test_something_that_is_no_domain_is_refused():
    with pytest.raises(TypeError, match=r"domain must be a dtpinn\.geometry\.Domain"):
        place_nodes("disk", 0.1)
