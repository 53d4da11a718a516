"""The nearest point of a triangle mesh."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats

Rows = npt.NDArray[np.intp]
# Takes points (n, 3), gives the face nearest to each, (n,), and the nearest point of it, (n, 3).
Nearest = Callable[[Floats], tuple[Rows, Floats]]

# Pieces that are asked at first, and how many pairs of a point and a piece are held at a time.
FIRST_ASKED = 8
PAIRS = 1_000_000


def nearest_on(vertices: Floats, faces: Rows) -> Nearest:
    """Return the function that finds the nearest point of a mesh: libigl's, if that is installed.

    Both are exact. libigl's tree of boxes is 20 to 70 times as fast, less for points that are all
    close to the mesh.

    Examples
    --------
    >>> triangle = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    >>> face, point = nearest_on(triangle, np.array([[0, 1, 2]]))(np.array([[1.0, 1.0, 3.0]]))
    >>> face, point
    (array([0]), array([[0.5, 0.5, 0. ]]))
    """
    try:
        igl = importlib.import_module("igl")
    except ImportError:
        return PieceTree(vertices[faces])
    tree = igl.AABB()
    tree.init(vertices, faces)

    def nearest(points: Floats) -> tuple[Rows, Floats]:
        _, face, point = tree.squared_distance(vertices, faces, np.ascontiguousarray(points))
        return np.asarray(face, dtype=np.intp).reshape(-1), np.asarray(point).reshape(-1, 3)

    return nearest


class PieceTree:
    """Nearest points by a k-d tree of the centroids of the triangles.

    A triangle reaches no farther from its centroid than some radius. So when the nearest of those
    whose centroids are near is nearer than the next centroid less the radius, it is the nearest of
    all; otherwise more are asked. To keep the radius small, triangles are halved until their pieces
    are about as large as an average one.

    Parameters
    ----------
    corners
        (m, 3, 3), those of each triangle.

    Examples
    --------
    >>> corners = np.array([[[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> PieceTree(corners)(np.array([[4.5, 0.0, 0.0]]))
    (array([0]), array([[4., 0., 0.]]))
    """

    def __init__(self, corners: Floats) -> None:
        area = 0.5 * np.linalg.norm(np.cross(*_edges(corners)), axis=1)
        pieces, self._face = _small_pieces(corners, 2.0 * np.sqrt(area.mean()))
        centroids = pieces.mean(axis=1)
        self._radius = float(np.linalg.norm(pieces - centroids[:, None], axis=2).max())
        self._corners = corners
        self._tree = cKDTree(centroids)

    def __call__(self, points: Floats) -> tuple[Rows, Floats]:
        """Return the nearest face, (n,), and the nearest point of it, (n, 3)."""
        face = np.zeros(len(points), dtype=np.intp)
        nearest = np.zeros_like(points)
        rows, asked = np.arange(len(points)), FIRST_ASKED
        while rows.size:
            asked = min(asked, self._tree.n)
            unsure = []
            for some in np.array_split(rows, -(-len(rows) * asked // PAIRS)):
                face[some], nearest[some], sure = self._among(points[some], asked)
                unsure.append(some[~sure])
            rows, asked = np.concatenate(unsure), 4 * asked
        return face, nearest

    def _among(self, points: Floats, asked: int) -> tuple[Rows, Floats, npt.NDArray[np.bool_]]:
        """Search the nearest few pieces, and say whether no other can be nearer."""
        far, piece = self._tree.query(points, k=range(1, asked + 1))
        face = self._face[piece]
        found = nearest_on_triangles(
            np.repeat(points, asked, axis=0), self._corners[face.reshape(-1)]
        ).reshape(-1, asked, 3)
        distance = np.linalg.norm(found - points[:, None], axis=2)
        best, row = distance.argmin(axis=1), np.arange(len(points))
        sure = (distance[row, best] <= far[:, -1] - self._radius) | (asked == self._tree.n)
        return face[row, best], found[row, best], sure


def nearest_on_triangles(points: Floats, corners: Floats) -> Floats:
    """Nearest point to each of ``points`` (n, 3) on a triangle each, ``corners`` (n, 3, 3); (n, 3).

    Examples
    --------
    >>> corners = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> nearest_on_triangles(np.array([[0.25, 0.25, 2.0]]), corners)
    array([[0.25, 0.25, 0.  ]])
    """
    # By the normal and not by the lengths of the sides, the squares of which a sliver would lose.
    normal = np.cross(*_edges(corners))
    sides = np.roll(corners, -1, axis=1) - corners
    offset = points[:, None] - corners
    inside = np.einsum("nki,ni->nk", np.cross(sides, offset), normal) >= 0.0
    height = _dot(offset[:, 0], normal) / _dot(normal, normal)
    nearest = points - height[:, None] * normal
    rows = np.flatnonzero(~inside.all(axis=1))
    # Beside the triangle, the nearest point is on one of its sides.
    start, side = corners[rows], sides[rows]
    along = np.einsum("nki,nki->nk", offset[rows], side) / np.einsum("nki,nki->nk", side, side)
    on_sides = start + np.clip(along, 0.0, 1.0)[:, :, None] * side
    which = np.linalg.norm(on_sides - points[rows, None], axis=2).argmin(axis=1)
    nearest[rows] = on_sides[np.arange(len(rows)), which]
    return np.asarray(nearest)


def _edges(corners: Floats) -> tuple[Floats, Floats]:
    return corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.einsum("ni,ni->n", a, b))


def _small_pieces(corners: Floats, longest: float) -> tuple[Floats, Rows]:
    """Halve triangles across their longest sides until none is longer; also which each is of."""
    face = np.arange(len(corners))
    done, done_face = [], []
    while len(corners):
        side = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
        small = side.max(axis=1) <= longest
        done.append(corners[small])
        done_face.append(face[small])
        corners, face, side = corners[~small], face[~small], side[~small]
        # Turn each triangle so that its longest side comes first.
        turn = (side.argmax(axis=1)[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(corners, turn[:, :, None], axis=1).transpose(1, 0, 2)
        middle = 0.5 * (a + b)
        corners = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        face = np.tile(face, 2)
    return np.concatenate(done), np.concatenate(done_face)
