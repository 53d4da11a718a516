"""The side of a mesh, where its nearest point is on an edge or a corner."""

import numpy as np
import pytest

from dtpinn.geometry import TriangleMesh
from dtpinn.geometry.meshes.pseudonormals import feature_of, pseudonormals_of
from tests.geometry.solids import cube_mesh, hull_faces


def test_how_faces_are_cut_into_triangles_does_not_matter():
    # At a corner of the cube three to six triangles meet, and one or two of each face.
    vertices, faces = cube_mesh()
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert len(set(np.bincount(faces.ravel()))) > 1
    pseudonormals = pseudonormals_of(faces, corners, normals)
    outward = np.sign(corners - 0.5)
    np.testing.assert_allclose(pseudonormals[:, 4:] / (np.pi / 2), outward, atol=1e-14)
    middle = np.sign(0.5 * (corners + np.roll(corners, -1, axis=1)) - 0.5)
    length = np.linalg.norm(pseudonormals[:, 1:4], axis=2, keepdims=True)
    # On a diagonal of a face both triangles have its normal.
    flat = np.abs(middle).sum(axis=2, keepdims=True) == 1
    expected = np.where(flat, normals[:, None], middle / np.sqrt(2))
    np.testing.assert_allclose(pseudonormals[:, 1:4] / length, expected, atol=1e-14)


@pytest.mark.parametrize("height", [0.05, 0.3, 3.0])
def test_the_side_is_right_beside_edges_of_any_angle(height):
    # A flat or a steep pyramid: beside an edge the normal of one face alone would be wrong.
    vertices = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0.2, 0.1, height]])
    faces = hull_faces(vertices)
    mesh = TriangleMesh(vertices, faces)
    a, b, c = vertices[faces].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (5000, 3)) * [1, 1, height]
    inside = np.all(np.einsum("fi,nfi->nf", normals, x[:, None] - a) < 0, axis=1)
    assert inside.sum() > 50
    np.testing.assert_array_equal(mesh.contains(x), inside)


def test_every_place_of_a_triangle_is_told():
    corners = np.array([[3.0, 1.0, 1.0], [1.0, 4.0, 1.0], [1.0, 1.0, 2.0]])
    weights = np.array(
        [[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    )
    places = weights @ corners / weights.sum(axis=1, keepdims=True)
    assert feature_of(places, np.tile(corners, (7, 1, 1))).tolist() == [0, 1, 2, 3, 4, 5, 6]
