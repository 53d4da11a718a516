"""A region bounded by a triangle mesh."""

from __future__ import annotations

import importlib
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.meshes.mesh_checks import closed_mesh, edges_of
from dtpinn.geometry.meshes.nearest_on_mesh import nearest_on
from dtpinn.geometry.meshes.pseudonormals import feature_of, pseudonormals_of
from dtpinn.geometry.spacing import SpacingLike
from dtpinn.geometry.surfaces.creases import ANGLE, unit
from dtpinn.geometry.surfaces.surface_walk import walk_surface

Rows = npt.NDArray[np.intp]

FORMATS = (".stl", ".obj", ".ply")
# In sizes of the mesh: nearer to the surface than this, the way to it has no direction.
ON_SURFACE = 1e-9


class TriangleMesh(Domain):
    """The region inside a closed triangle mesh.

    Where two faces meet at more than 30 degrees the edge is sharp: it is kept, with nodes along it.
    The parts of the boundary are the patches of the surface between sharp edges, ``"patch0"``,
    ``"patch1"`` and so on, the largest first; where there is one only, it is ``"surface"``.

    That the mesh does not cross itself is not checked.

    Parameters
    ----------
    vertices
        (n, 3); those at the same place are one.
    faces
        (m, 3), three rows of ``vertices`` each, counter-clockwise seen from outside.

    Attributes
    ----------
    vertices, faces
        Those in use, (n, 3) and (m, 3).
    patch
        (m,), the index into :attr:`parts` of each face.

    Raises
    ------
    TypeError
        If ``faces`` does not hold integers.
    ValueError
        If the mesh is open, branches, or is oriented inconsistently, a triangle has no area, or
        the arrays do not fit together; naming the faces.

    Warns
    -----
    UserWarning
        If all faces are seen clockwise from outside: they are turned round.

    Examples
    --------
    >>> corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    >>> mesh = TriangleMesh(corners, [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    >>> mesh
    TriangleMesh(4 vertices, 4 faces, 4 parts)
    >>> mesh.signed_distance([[0.1, 0.2, 0.2], [0.2, 0.2, -2.0]])
    array([-0.1,  2. ])
    """

    def __init__(self, vertices: npt.ArrayLike, faces: npt.ArrayLike) -> None:
        self.vertices, self.faces = closed_mesh(vertices, faces)
        corners = self.vertices[self.faces]
        self._face_normals = unit(
            np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        )
        self._nearest = nearest_on(self.vertices, self.faces)
        self._pseudonormals = pseudonormals_of(self.faces, corners, self._face_normals)
        self.patch, self._parts = _patches(self.faces, corners, self._face_normals)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> TriangleMesh:
        """Read a mesh from an STL, OBJ or PLY file.

        Raises
        ------
        ImportError
            If trimesh is not installed.
        FileNotFoundError
            If there is no such file.
        ValueError
            If the format is another one, there are no faces, or they do not bound a region.
        """
        file = Path(path)
        if file.suffix.lower() not in FORMATS:
            raise ValueError(f"a mesh is read from {', '.join(FORMATS)} files; got {file.name}")
        if not file.is_file():
            raise FileNotFoundError(f"there is no file {file}")
        mesh = _trimesh().load_mesh(file)
        faces = np.asarray(getattr(mesh, "faces", ()))
        if not faces.size:
            raise ValueError(
                f"{file.name} holds no faces (points or lines alone, or an empty mesh). Export the "
                "surface as triangles; points alone are nodes by dtpinn.Nodes.from_points, with "
                "normals"
            )
        return cls(np.asarray(mesh.vertices), faces)

    def __reduce__(self) -> tuple[type[TriangleMesh], tuple[Floats, Rows]]:
        """Copied and pickled by its triangles: the search tree is built anew."""
        return TriangleMesh, (self.vertices, self.faces)

    def __repr__(self) -> str:
        return (
            f"TriangleMesh({len(self.vertices)} vertices, {len(self.faces)} faces, "
            f"{len(self.parts)} {'part' if len(self.parts) == 1 else 'parts'})"
        )

    @property
    def dimension(self) -> int:
        """3."""
        return 3

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of the bounding box, (2, 3)."""
        return np.array([self.vertices.min(axis=0), self.vertices.max(axis=0)])

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the patches between sharp edges, the largest first."""
        return self._parts

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 3) to the mesh, negative inside; exact; (n,).

        Raises
        ------
        ValueError
            If ``points`` does not have shape (n, 3).
        """
        return self._locate(as_points(points, 3))[0]

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Normals of the faces at boundary ``points`` (n, 3), of one of them on an edge; (n, 3).

        Off the boundary it is the direction in which the distance grows.
        """
        x = as_points(points, 3)
        distance, face, nearest = self._locate(x)
        size = float(np.max(self.bounds[1] - self.bounds[0]))
        off = (np.abs(distance) > ON_SURFACE * size)[:, None]
        way = (x - nearest) / np.where(off, distance[:, None], 1.0)
        return np.where(off, way, self._face_normals[face])

    def nearest_point(self, points: npt.ArrayLike) -> Floats:
        """Return the point of the mesh nearest to each of ``points`` (n, 3); (n, 3)."""
        return self._nearest(as_points(points, 3))[1]

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index into :attr:`parts` of the patch nearest to each of ``points`` (n, 3); (n,)."""
        return self.patch[self._nearest(as_points(points, 3))[0]]

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points along the sharp edges, and quasi-uniform points on the patches between them.

        See :func:`~dtpinn.geometry.surfaces.surface_walk.walk_surface`.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the mesh.
        """
        return walk_surface(self, spacing)

    def _locate(self, points: Floats) -> tuple[Floats, Rows, Floats]:
        """Signed distance (n,), and the nearest face (n,) and point of it (n, 3)."""
        face, nearest = self._nearest(points)
        offset = points - nearest
        feature = feature_of(nearest, self.vertices[self.faces[face]])
        normal = self._pseudonormals[face, feature]
        side = np.where(np.einsum("ni,ni->n", offset, normal) < 0.0, -1.0, 1.0)
        return side * np.linalg.norm(offset, axis=1), face, nearest


def _trimesh() -> Any:
    try:
        return importlib.import_module("trimesh")
    except ImportError:
        raise ImportError(
            "reading a mesh needs trimesh, which is not installed; pip install 'dtpinn[mesh]'"
        ) from None


def _patches(faces: Rows, corners: Floats, normals: Floats) -> tuple[Integers, tuple[str, ...]]:
    """Patch of each face, and the names of the patches."""
    edge_of = edges_of(faces)[1].reshape(-1)
    a, b = (np.argsort(edge_of, kind="stable") // 3).reshape(-1, 2).T
    smooth = np.einsum("ni,ni->n", normals[a], normals[b]) >= math.cos(math.radians(ANGLE))
    pairs = (np.ones(np.count_nonzero(smooth)), (a[smooth], b[smooth]))
    graph = coo_array(pairs, shape=(len(faces), len(faces))).tocsr()
    count, label = connected_components(graph, directed=False)
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    # Rounded, so that patches of equal area keep the order of the faces.
    size = np.round(np.bincount(label, area) / area.sum(), 9)
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(count)
    return rank[label], tuple(f"patch{k}" for k in range(count)) if count > 1 else ("surface",)
