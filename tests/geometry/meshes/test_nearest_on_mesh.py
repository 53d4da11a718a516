"""Nearest points on triangles: by the tree of pieces, by the plain loop, and by libigl."""

import sys

import numpy as np
import pytest

from dtpinn.geometry.meshes.nearest_on_mesh import PieceTree, nearest_on, nearest_on_triangles
from tests.geometry.solids import ball_mesh, cube_mesh


def sliver_mesh():
    """A box of 1 by 1 by 0.01 on a ball: triangles of all sizes."""
    vertices, faces = cube_mesh()
    others, more = ball_mesh(200)
    flat = vertices * [1.0, 1.0, 0.01]
    return np.concatenate([flat, 0.1 * others]), np.concatenate([faces, more + len(flat)])


MESHES = {"cube": cube_mesh, "ball": ball_mesh, "slivers": sliver_mesh}


def points_about(vertices):
    rng = np.random.default_rng(0)
    lower, upper = vertices.min(axis=0), vertices.max(axis=0)
    wide = rng.uniform(lower - 1, upper + 1, (300, 3))
    return np.concatenate([wide, vertices[:20], vertices[:20] + 1e-7, np.zeros((1, 3))])


def test_the_nearest_point_of_a_triangle_is_the_minimum_over_it():
    rng = np.random.default_rng(0)
    corners, points = rng.normal(size=(200, 3, 3)), 2 * rng.normal(size=(200, 3))
    found = nearest_on_triangles(points, corners)
    weights = rng.dirichlet([0.5, 0.5, 0.5], size=4000)
    others = np.einsum("wk,nki->nwi", weights, corners)
    nearest = np.linalg.norm(found - points, axis=1)
    sampled = np.linalg.norm(others - points[:, None], axis=2).min(axis=1)
    assert np.all(nearest <= sampled + 1e-12)
    assert np.median(sampled - nearest) < 0.01
    # It is on the triangle: no part of the plane spanned is beyond its sides.
    edges = np.roll(corners, -1, axis=1) - corners
    normal = np.cross(edges[:, 0], edges[:, 1])
    offset = found[:, None] - corners
    share = np.einsum("nki,ni->nk", np.cross(edges, offset), normal)
    assert np.all(share >= -1e-9 * np.einsum("ni,ni->n", normal, normal)[:, None])


@pytest.mark.parametrize("name", MESHES)
def test_the_tree_finds_what_the_plain_loop_finds(name):
    vertices, faces = MESHES[name]()
    corners, points = vertices[faces], points_about(vertices)
    face, found = PieceTree(corners)(points)
    every = [nearest_on_triangles(np.tile(p, (len(faces), 1)), corners) for p in points]
    shortest = np.linalg.norm(np.array(every) - points[:, None], axis=2).min(axis=1)
    np.testing.assert_allclose(np.linalg.norm(found - points, axis=1), shortest, atol=1e-14)
    np.testing.assert_allclose(nearest_on_triangles(found, corners[face]), found, atol=1e-14)


def test_a_large_face_is_found_behind_many_small_ones():
    # Below is a large triangle, 0.25 away. Above, 0.3 away, are more small ones than are asked at
    # first, all with nearer centroids than any piece of the large one may have.
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(1, 3, (50, 2)), np.zeros(50)])
    large = np.array([[0.0, 0.0, -0.25], [10.0, 0.0, -0.25], [0.0, 10.0, -0.25]])
    tiny = 1e-3 * np.array([[-1.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    small = np.repeat(points, 20, axis=0)[:, None] + tiny + [0.0, 0.0, 0.3]
    face, found = PieceTree(np.concatenate([large[None], small]))(points)
    np.testing.assert_array_equal(face, 0)
    np.testing.assert_allclose(found, points - [0.0, 0.0, 0.25], atol=1e-12)


@pytest.mark.parametrize("name", MESHES)
def test_libigl_finds_the_same(name):
    pytest.importorskip("igl", reason="libigl is not installed")
    vertices, faces = MESHES[name]()
    points = points_about(vertices)
    face, found = nearest_on(vertices, faces)(points)
    ours = PieceTree(vertices[faces])(points)[1]
    np.testing.assert_allclose(
        np.linalg.norm(found - points, axis=1), np.linalg.norm(ours - points, axis=1), atol=1e-14
    )
    # The thinnest triangles are 1 to 100, and their normals lose as much of the round-off.
    assert np.abs(nearest_on_triangles(found, vertices[faces[face]]) - found).max() < 1e-13


def test_without_libigl_the_tree_of_pieces_is_used(monkeypatch):
    monkeypatch.setitem(sys.modules, "igl", None)
    assert isinstance(nearest_on(*cube_mesh()), PieceTree)


def test_no_points_give_no_answers():
    face, found = PieceTree(cube_mesh()[0][cube_mesh()[1]])(np.empty((0, 3)))
    assert face.shape == (0,)
    assert found.shape == (0, 3)
