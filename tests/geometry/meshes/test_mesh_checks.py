"""Meshes that bound nothing are refused, and the faces named."""

import numpy as np
import pytest

from dtpinn.geometry.meshes.mesh_checks import closed_mesh, edges_of
from tests.geometry.solids import cube_mesh

VERTICES, FACES = cube_mesh()


def volume(vertices, faces):
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return np.einsum("ni,ni->", a, np.cross(b, c)) / 6


def test_a_closed_mesh_is_kept():
    vertices, faces = closed_mesh(VERTICES, FACES)
    assert (len(vertices), len(faces)) == (8, 12)
    assert volume(vertices, faces) == pytest.approx(1.0)


def test_vertices_at_one_place_become_one_and_idle_ones_go():
    soup = VERTICES[FACES].reshape(-1, 3)
    vertices, faces = closed_mesh(
        np.concatenate([[[9.0, 9.0, 9.0]], soup]), 1 + np.arange(36).reshape(12, 3)
    )
    assert len(vertices) == 8
    assert volume(vertices, faces) == pytest.approx(1.0)


def test_a_mesh_that_is_inside_out_is_turned_round_with_a_warning():
    with pytest.warns(UserWarning, match="normals of the mesh point inwards"):
        vertices, faces = closed_mesh(VERTICES, FACES[:, ::-1])
    assert volume(vertices, faces) == pytest.approx(1.0)


def test_a_hole_names_the_faces_around_it():
    with pytest.raises(ValueError, match="the mesh is open: 3 edges have a face on one side only"):
        closed_mesh(VERTICES, FACES[1:])
    # The three faces beside face 0 are those that share two vertices with it.
    beside = [i for i in range(1, 12) if len(set(FACES[i]) & set(FACES[0])) == 2]
    with pytest.raises(ValueError, match=", ".join(str(i - 1) for i in beside)):
        closed_mesh(VERTICES, FACES[1:])


def test_a_wall_inside_is_an_edge_of_three_faces():
    # Two tetrahedra on either side of a face that both have, and a fifth vertex on each side.
    vertices = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]]
    above = [[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]
    below = [[0, 1, 2], [1, 0, 4], [2, 1, 4], [0, 2, 4]]
    with pytest.raises(ValueError, match=r"branches: 3 edges have more than two.*\(0.0, 0.0, 0.0"):
        closed_mesh(vertices, above + below)
    assert len(closed_mesh(vertices, above[1:] + below[1:])[1]) == 6


def test_a_face_that_is_turned_round_is_named_with_its_neighbours():
    faces = FACES.copy()
    faces[4] = faces[4, ::-1]
    beside = [i for i in range(12) if i == 4 or len(set(FACES[i]) & set(FACES[4])) == 2]
    message = f"3 edges.*rows {', '.join(str(i) for i in beside)}. Turn some round"
    with pytest.raises(ValueError, match=message):
        closed_mesh(VERTICES, faces)


@pytest.mark.parametrize("third", [[0.5, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 1e-12, 0.0]])
def test_a_triangle_without_an_area_is_named(third):
    with pytest.raises(ValueError, match="a triangle must have an area; faces row 0 have"):
        closed_mesh([[0, 0, 0], [1, 0, 0], third], [[0, 1, 2]])


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        ([[0, 1, 2, 3]], r"faces must have shape \(m, 3\).*\(1, 4\). Split faces"),
        ([[0, 1, 8]], r"from 0 to 7; faces\[0\] is \[0, 1, 8\]"),
        ([[0, 1, 2], [0, -1, 2]], r"faces\[1\] is \[0, -1, 2\]"),
        (np.empty((2, 4), dtype=int), r"got shape \(2, 4\)"),
    ],
)
def test_faces_that_are_none_are_refused(faces, message):
    with pytest.raises(ValueError, match=message):
        closed_mesh(VERTICES, faces)


def test_faces_that_are_no_integers_are_refused():
    with pytest.raises(TypeError, match="faces must hold integers"):
        closed_mesh(VERTICES, FACES.astype(float))


def test_vertices_that_are_not_finite_are_refused():
    broken = VERTICES.copy()
    broken[3, 1] = np.nan
    with pytest.raises(ValueError, match="vertices must be finite; it is NaN or infinite in row 3"):
        closed_mesh(broken, FACES)


def test_a_closed_mesh_has_each_edge_once_each_way():
    edges, edge_of, forward = edges_of(FACES)
    assert len(edges) == 18  # Euler: 8 - 18 + 12 = 2
    np.testing.assert_array_equal(np.bincount(edge_of.ravel()), 2)
    np.testing.assert_array_equal(np.bincount(edge_of.ravel(), forward.ravel()), 0)
    for k in range(3):
        ends = np.sort(np.stack([FACES[:, k], FACES[:, (k + 1) % 3]], axis=1), axis=1)
        np.testing.assert_array_equal(edges[edge_of[:, k]], ends)


def test_a_mesh_without_faces_is_told_so():
    for none in ([], np.empty((0, 3)), np.empty((0, 3), dtype=int)):
        with pytest.raises(ValueError, match=r"no faces, only 8 vertices.*Nodes\.from_points"):
            closed_mesh(VERTICES, none)
    with pytest.raises(ValueError, match="Split faces of more corners"):
        closed_mesh(VERTICES, [[0, 1, 2, 3]])
