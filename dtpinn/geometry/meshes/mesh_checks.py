"""Whether triangles bound a region of space, and what to say if they do not."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.checks import as_points, check_finite, rows_text

Rows = npt.NDArray[np.intp]

# Twice the area of a triangle beside the square of its longest side; below, it has no normal.
FLAT = 1e-10


def closed_mesh(vertices: npt.ArrayLike, faces: npt.ArrayLike) -> tuple[Floats, Rows]:
    """Return vertices and faces of a closed surface with outward normals, if that is what it is.

    Vertices at the same place become one, and those without a face are left out. If all normals
    point inwards the faces are turned round, with a warning.

    Parameters
    ----------
    vertices
        (n, 3)
    faces
        (m, 3), rows of ``vertices``.

    Raises
    ------
    TypeError
        If ``faces`` does not hold integers.
    ValueError
        If the shapes or indices are wrong, a coordinate is not finite, a triangle has no area, or
        the surface is open, branches or is oriented inconsistently; naming the faces.

    Examples
    --------
    >>> corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    >>> closed_mesh(corners, [[0, 2, 1], [0, 1, 3], [0, 3, 2]])
    Traceback (most recent call last):
    ...
    ValueError: the mesh is open: 3 edges have a face on one side only, of faces rows 0, 1, 2. \
Close it, with trimesh.repair.fill_holes for one
    """
    points = as_points(vertices, 3, "vertices")
    check_finite(points, "vertices")
    triangles = _as_faces(faces, len(points))
    points, place = np.unique(points, axis=0, return_inverse=True)
    triangles = place.reshape(-1)[triangles]
    used, inverse = np.unique(triangles, return_inverse=True)
    points, triangles = points[used], inverse.reshape(-1, 3)
    _check_areas(points, triangles)
    _check_edges(points, triangles)
    corners = points[triangles]
    volume = np.einsum("ni,ni->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0
    if volume < 0.0:
        warnings.warn(
            "the normals of the mesh point inwards: its faces have been turned round",
            stacklevel=4,
        )
        triangles = triangles[:, ::-1].copy()
    return points, triangles


def edges_of(faces: Rows) -> tuple[Rows, Rows, Rows]:
    """Edges of a mesh.

    Parameters
    ----------
    faces
        (m, 3)

    Returns
    -------
    edges
        (e, 2), the two vertices of each, the smaller first.
    edge_of
        (m, 3): the edges from corner 0 to 1, from 1 to 2 and from 2 to 0 of each face.
    forward
        (m, 3), 1 where the face runs along its edge from the smaller vertex, -1 otherwise.

    Examples
    --------
    >>> edges_of(np.array([[0, 1, 2]]))
    (array([[0, 1],
           [0, 2],
           [1, 2]]), array([[0, 2, 1]]), array([[ 1,  1, -1]]))
    """
    pairs = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    edges, edge_of = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    forward = np.where(pairs[:, 0] < pairs[:, 1], 1, -1)
    return edges, edge_of.reshape(-1, 3), forward.reshape(-1, 3)


def _as_faces(faces: npt.ArrayLike, count: int) -> Rows:
    array = np.asarray(faces)
    if not array.size:
        raise ValueError(
            f"there are no faces, only {count} vertices; a region needs a closed surface of "
            "triangles. Points alone are nodes by dtpinn.Nodes.from_points, with normals"
        )
    if array.dtype.kind not in "iu":
        raise TypeError(f"faces must hold integers, rows of vertices; got dtype {array.dtype}")
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError(
            f"faces must have shape (m, 3), three vertices a face; got shape {array.shape}. "
            "Split faces of more corners into triangles first"
        )
    bad = np.flatnonzero(((array < 0) | (array >= count)).any(axis=1))
    if bad.size:
        raise ValueError(
            f"faces must hold rows of vertices, from 0 to {count - 1}; "
            f"faces[{bad[0]}] is {array[bad[0]].tolist()}"
        )
    return array.astype(np.intp)


def _check_areas(vertices: Floats, faces: Rows) -> None:
    corners = vertices[faces]
    sides = np.roll(corners, -1, axis=1) - corners
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    longest = np.linalg.norm(sides, axis=2).max(axis=1)
    flat = np.flatnonzero(area <= FLAT * longest**2)
    if flat.size:
        raise ValueError(
            f"a triangle must have an area; faces {rows_text(flat)} have corners on one line or "
            "at one place. Remove them, with mesh.update_faces(mesh.nondegenerate_faces()) in "
            "trimesh, and close the holes that they leave"
        )


def _check_edges(vertices: Floats, faces: Rows) -> None:
    edges, edge_of, forward = edges_of(faces)
    number = np.bincount(edge_of.reshape(-1))
    lonely = number == 1
    if lonely.any():
        raise ValueError(
            f"the mesh is open: {lonely.sum()} edges have a face on one side only, of faces "
            f"{_faces_with(lonely, edge_of)}. Close it, with trimesh.repair.fill_holes for one"
        )
    crowded = number > 2
    if crowded.any():
        first = np.flatnonzero(crowded)[0]
        place = " to ".join(str(tuple(vertices[end].tolist())) for end in edges[first])
        raise ValueError(
            f"the mesh branches: {crowded.sum()} edges have more than two faces, of faces "
            f"{_faces_with(crowded, edge_of)}; the first edge leads from {place}. A surface that "
            "bounds a region has two at each edge; take away walls inside it and double faces"
        )
    twisted = np.bincount(edge_of.reshape(-1), forward.reshape(-1)) != 0
    if twisted.any():
        raise ValueError(
            f"the mesh is oriented inconsistently: at {twisted.sum()} edges the two faces "
            f"disagree on which side is outside, of faces {_faces_with(twisted, edge_of)}. "
            "Turn some round, with trimesh.repair.fix_winding for one"
        )


def _faces_with(edges: npt.NDArray[np.bool_], edge_of: Rows) -> str:
    return rows_text(np.flatnonzero(edges[edge_of].any(axis=1)))
