"""Nodes on surfaces: on the surface, apart, without holes, and the same every time."""

import functools

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

import dtpinn
from dtpinn.geometry import Ball, Box, Disk, TriangleMesh
from dtpinn.geometry.surfaces.surface_walk import CLOSEST, walk_surface
from tests.geometry.solids import (
    SOLIDS,
    Solid,
    ball_mesh,
    constant,
    cube_mesh,
    cut_ball,
    fill,
    separation,
    union,
)
from tests.marks import mostly_full

BODIES = [*SOLIDS, "ball mesh", "cube mesh"]


@functools.cache
def body(name):
    if name in SOLIDS:
        return SOLIDS[name]
    return TriangleMesh(*(cube_mesh() if name == "cube mesh" else ball_mesh()))


def size(domain):
    return np.max(domain.bounds[1] - domain.bounds[0])


@functools.cache
def walked(name, share):
    return walk_surface(body(name), share * size(body(name)))


@pytest.mark.parametrize("share", mostly_full([0.1, 0.05, 0.03], lambda share: share > 0.05))
@pytest.mark.parametrize("name", mostly_full(BODIES, lambda name: name != "ball mesh"))
def test_points_lie_on_the_surface_apart_and_without_holes(name, share):
    domain = body(name)
    h, boundary = share * size(domain), walked(name, share)
    assert np.abs(domain.signed_distance(boundary.points)).max() <= 1e-11 * size(domain)
    # What is promised is 0.75 and 0.9; these are met with room, by every body here.
    assert separation(boundary.points, constant(h)) >= 0.82
    assert fill(domain, boundary.points, constant(h)) <= 0.9


@pytest.mark.parametrize("name", mostly_full(BODIES, lambda name: name != "ball mesh"))
def test_normals_are_unit_and_lead_out(name):
    domain, boundary = body(name), walked(name, 0.1)
    np.testing.assert_allclose(np.linalg.norm(boundary.normals, axis=1), 1.0, atol=1e-12)
    step = 1e-4 * size(domain)
    assert domain.signed_distance(boundary.points + step * boundary.normals).min() > 0.3 * step
    assert domain.signed_distance(boundary.points - step * boundary.normals).max() < -0.3 * step


@pytest.mark.parametrize(
    "name", mostly_full(["ball", "ellipsoid", "box", "cut ball"], lambda name: name == "ball")
)
def test_a_variable_spacing_is_followed(name):
    domain = SOLIDS[name]

    def spacing(x):
        return 0.03 + 0.05 * np.linalg.norm(x - np.array([1.0, 0.0, 0.0]), axis=1)

    boundary = walk_surface(domain, spacing)
    # A point may be held to the spacing at its neighbour, which is 5% of the distance smaller.
    assert separation(boundary.points, spacing) >= 0.75
    assert fill(domain, boundary.points, spacing) <= 0.95
    far = spacing(boundary.points)
    assert far.max() > 2.0 * far.min()


def test_every_piece_is_found_down_to_two_spacings():
    bodies = union(Ball(), Ball(0.1, (1.3, 0.0, 0.0)))
    points = walk_surface(bodies, 0.1).points
    on_small = np.abs(np.linalg.norm(points - [1.3, 0.0, 0.0], axis=1) - 0.1) < 1e-9
    # The small sphere has an area of 12.6 squared spacings; 4 points are the least that span it.
    assert 4 <= on_small.sum() <= 16


def test_a_thin_plate_has_nodes_on_both_sides_that_keep_apart():
    plate = Box((0, 0, 0), (1, 1, 0.06))
    points = walk_surface(plate, 0.1).points
    assert separation(points, constant(0.1)) >= CLOSEST
    # The side faces are thinner than a spacing, and the edges have the nodes.
    assert fill(plate, points, constant(0.1)) <= 1.0
    assert {0.0, 0.06} <= set(points[:, 2])


def test_the_same_walk_gives_the_same_points_bit_for_bit():
    first, second = walk_surface(cut_ball(), 0.1), walk_surface(cut_ball(), 0.1)
    np.testing.assert_array_equal(first.points, second.points)
    np.testing.assert_array_equal(first.normals, second.normals)


@pytest.mark.parametrize(("scale", "shift"), [(1e-3, 0.0), (1e4, 0.0), (1.0, 1e3)])
def test_size_and_place_do_not_matter(scale, shift):
    lower = np.full(3, shift)
    box = Box(lower, lower + scale * np.array([1.0, 1.3, 0.7]))
    points = walk_surface(box, 0.1 * scale).points
    assert len(points) == pytest.approx(len(walk_surface(SOLIDS["box"], 0.1).points), rel=0.05)
    assert separation(points, constant(0.1 * scale)) >= 0.82
    corners = (np.abs(points - box.bounds[:, None]) <= 1e-9 * scale + 1e-12 * shift).any(axis=0)
    assert corners.all(axis=1).sum() == 8


def test_the_density_is_even_and_known():
    h = 0.05
    points = walk_surface(Ball(), h).points
    assert len(points) * h**2 == pytest.approx(0.83 * 4 * np.pi, rel=0.02)
    around = cKDTree(points).query_ball_point(points, 5 * h, return_length=True)
    # Points at random would spread by 12%, the square root of the 65 that there are.
    assert around.std() <= 0.03 * around.mean()


def test_parts_are_those_of_the_domain():
    cut = cut_ball()
    boundary = walk_surface(cut, 0.1)
    assert boundary.names == ("sphere", "plane")
    on_sphere = np.abs(np.linalg.norm(boundary.points, axis=1) - 1.0) < 1e-8
    on_plane = np.abs(boundary.points @ [0.6, 0.0, 0.8] - 0.3) < 1e-8
    assert np.all(on_sphere[boundary.part == 0])
    assert np.all(on_plane[boundary.part == 1])
    assert (on_sphere & on_plane).sum() == round(2 * np.pi * np.sqrt(1 - 0.3**2) / 0.1)


@pytest.mark.parametrize("name", ["torus", "box", "dented box"])
def test_nodes_are_placed_from_the_surface(name):
    domain = SOLIDS[name]
    h = 0.07 * size(domain)
    nodes = dtpinn.place_nodes(domain, h)
    assert domain.signed_distance(nodes.interior).max() <= -0.5 * h + 1e-12
    assert separation(nodes.collocation, constant(h)) >= 0.82
    lower, upper = domain.bounds
    sample = lower + (upper - lower) * np.random.default_rng(0).random((100_000, 3))
    sample = sample[domain.contains(sample)]
    assert cKDTree(nodes.collocation).query(sample)[0].max() <= 1.25 * h


def test_a_surface_that_is_not_there_is_an_error():
    nothing = Solid(lambda x: np.full(len(x), 5.0), [-1, -1, -1], [1, 1, 1])
    with pytest.raises(ValueError, match="no boundary was found within bounds"):
        walk_surface(nothing, 0.1)


def test_a_domain_in_the_plane_has_no_surface():
    with pytest.raises(ValueError, match="this Disk is in 2-D"):
        walk_surface(Disk(), 0.1)


@pytest.mark.parametrize(
    ("spacing", "message"),
    [
        (0.0, "spacing must be finite and positive"),
        (2.5, "spacing=2.5 is larger than the domain"),
        (lambda x: np.zeros(len(x)), "spacing must be positive and finite everywhere; at"),
        (lambda x: 0.1, r"give \(n,\) lengths"),
    ],
)
def test_a_spacing_that_is_none_is_refused(spacing, message):
    with pytest.raises(ValueError, match=message):
        walk_surface(Ball(), spacing)


def test_neighbours_hold_together():
    # Within 1.5 spacings one can walk from any point to any other, across the creases too.
    boundary = walk_surface(SOLIDS["notched box"], 0.1)
    a, b = cKDTree(boundary.points).query_pairs(0.15, output_type="ndarray").T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(len(boundary),) * 2)
    assert connected_components(graph.tocsr(), directed=False)[0] == 1


def test_halves_of_a_step_go_up_on_every_edge():
    """Of a cube, 2.5 spacings long: by round-off alone some of the twelve had 2 steps, others 3."""
    walk = Box().walk_boundary(0.4)
    on_an_edge = np.bincount(walk.sides.point) == 2
    assert on_an_edge.sum() == 12 * 2
