"""Creases and corners: found where they are, nowhere else, and walked in equal steps."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Box
from dtpinn.geometry.surfaces.crease_arcs import order_arcs
from dtpinn.geometry.surfaces.crease_corners import find_corners
from dtpinn.geometry.surfaces.crease_nodes import walk_creases
from dtpinn.geometry.surfaces.creases import find_creases
from dtpinn.geometry.surfaces.sampling import sample_surface
from tests.geometry.solids import (
    CREASED,
    SMOOTH,
    Solid,
    constant,
    cut_ball,
    dented_box,
    notched_box,
    two_balls,
    union,
)


def creases(domain, spacing):
    return find_creases(domain, sample_surface(domain, spacing, np.random.default_rng(0)), spacing)


def walked(domain, h):
    return walk_creases(domain, creases(domain, constant(h)), constant(h))[:2]


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("h", [0.3, 0.1])
def test_a_smooth_surface_has_none_however_coarse_the_spacing(name, h):
    # At 0.3 the normals of the ellipsoid turn by up to 60 degrees from one sample to the next.
    assert len(creases(SMOOTH[name], constant(h))) == 0


@pytest.mark.parametrize("name", CREASED)
def test_crease_points_lie_on_both_sides(name):
    domain = CREASED[name]
    crease = creases(domain, constant(0.1))
    # Off by the curvature times the square of the last probe, 6e-5 of a size of 2 to 3.
    assert np.abs(domain.signed_distance(crease.points)).max() <= 2e-8
    # A step into either side stays on the surface, a step between them does not.
    for side, other in ((crease.first, crease.second), (crease.second, crease.first)):
        lean = np.sum(side * other, axis=1, keepdims=True)
        way = crease.bend[:, None] * (lean * side - other)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        left = np.abs(domain.signed_distance(crease.points + 1e-3 * way))
        assert np.quantile(left, 0.98) <= 2e-6


def test_the_rim_of_a_cut_ball_is_a_circle_in_equal_steps():
    points, normals = walked(cut_ball(), 0.1)
    radius = np.sqrt(1 - 0.3**2)
    center = 0.3 * np.array([0.6, 0.0, 0.8])
    assert len(points) == round(2 * np.pi * radius / 0.1)
    np.testing.assert_allclose(np.linalg.norm(points - center, axis=1), radius, atol=1e-8)
    np.testing.assert_allclose(points @ [0.6, 0.0, 0.8], 0.3, atol=1e-8)
    step = np.sort(cKDTree(points).query(points, k=3)[0][:, 1:].ravel())
    assert step[-1] <= 1.01 * step[0]
    mean = points + np.array([0.6, 0.0, 0.8])
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(normals, mean, atol=1e-4)


def test_a_box_has_eight_corners_and_equal_steps_on_its_edges():
    box = Box((0, 0, 0), (1, 1.3, 0.7))
    points, normals = walked(box, 0.1)
    expected = []
    for axis, count in enumerate((10, 13, 7)):
        for low in np.ndindex(2, 2):
            edge = np.empty((count + 1, 3))
            edge[:, axis] = np.arange(count + 1) / 10
            edge[:, [k for k in range(3) if k != axis]] = np.array(low) * np.delete(box.upper, axis)
            expected.append(edge)
    expected = np.unique(np.round(np.concatenate(expected), 12), axis=0)
    assert len(points) == len(expected)
    distance, row = cKDTree(expected).query(points)
    assert distance.max() <= 1e-9
    assert len(set(row)) == len(expected)
    outward = (np.abs(points - box.upper) < 1e-9).astype(float) - (np.abs(points) < 1e-9)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    np.testing.assert_allclose(normals, outward, atol=1e-9)


def test_the_corners_of_a_notched_box_are_all_found_and_kept():
    points, _ = walked(notched_box(), 0.1)
    corners = np.array(list(np.ndindex(3, 3, 3))) - 1.0
    # Of the grid of 27 the seven outer corners are left, and seven of the notch: three on faces,
    # three on edges, one inside.
    outer = np.abs(corners).sum(axis=1) == 3
    notch = corners.min(axis=1) == 0
    wanted = corners[(outer & (corners.min(axis=1) < 0)) | notch & (corners.max(axis=1) <= 1)]
    assert len(wanted) == 14
    assert cKDTree(points).query(wanted)[0].max() <= 1e-9


def test_creases_that_are_curved_meet_in_corners():
    dented = dented_box()
    arcs = order_arcs(creases(dented, constant(0.1)), constant(0.1))
    corners = find_corners(dented, arcs, constant(0.1))
    # Twelve edges, three of them shorter, and three arcs of circles between these.
    assert (len(arcs), arcs.closed.sum(), len(corners.points)) == (15, 0, 10)
    rim = np.array([[0.4, 1, 1], [1, 0.4, 1], [1, 1, 0.4]])
    # The arcs are asked a few 1e-4 from the corner, and are curved.
    assert cKDTree(corners.points).query(rim)[0].max() <= 1e-6
    assert np.all(corners.at_start >= 0)
    assert np.all(corners.at_end >= 0)


def test_a_fold_inwards_is_known_from_one_outwards():
    assert np.all(creases(two_balls(), constant(0.1)).bend == -1)
    assert np.all(creases(cut_ball(), constant(0.1)).bend == 1)


def test_a_crease_that_ends_on_a_face_it_shares_with_another_body_keeps_its_nodes_apart():
    # Two boxes with a face in one plane: edges end in the middle of others.
    flush = union(Box((-1, -1, -1), (1, 1, 1)), Box((0, 0, 0.5), (1, 1, 2)))
    points, _ = walked(flush, 0.1)
    assert cKDTree(points).query([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 2]])[0].max() <= 1e-8


def test_walls_thinner_than_a_spacing_are_no_crease():
    # Two spheres, one in the other, 0.03 apart: normals are opposite, and nothing meets.
    def distance(x):
        return np.abs(np.linalg.norm(x, axis=1) - 0.985) - 0.015

    shell = Solid(distance, [-1, -1, -1], [1, 1, 1])
    assert len(creases(shell, constant(0.1))) == 0
