"""Which side of a mesh a point is on.

Where the nearest point of a mesh lies on an edge or a corner, the normals of the faces around may
disagree on the side; their mean, weighted by the angles of the faces there, does not: J. A.
Baerentzen and H. Aanaes, "Signed distance computation using the angle weighted pseudonormal", IEEE
Trans. Vis. Comput. Graph. 11 (2005) 243-253.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.geometry.meshes.mesh_checks import edges_of

Rows = npt.NDArray[np.intp]

# Shares of a triangle below this are zero: the point is on an edge.
ON_EDGE = 1e-9
# By the edges that it is on, the bits of the index. On those from corners 0 and 1 it is at corner
# 1, from 1 and 2 at corner 2, from 2 and 0 at corner 0; on all three it cannot be.
FEATURE = np.array([0, 1, 2, 5, 3, 4, 6, 0])


def feature_of(points: Floats, corners: Floats) -> Rows:
    """On what of its triangle (n, 3, 3) each of ``points`` (n, 3) lies; (n,).

    0 is the inside, 1 to 3 the edges from corner 0, 1 and 2, and 4 to 6 these corners.

    Examples
    --------
    >>> corners = np.tile(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), (3, 1, 1))
    >>> feature_of(np.array([[0.2, 0.2, 0.0], [0.5, 0.0, 0.0], [0.0, 1.0, 0.0]]), corners)
    array([0, 1, 6])
    """
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    offset = points[:, None] - corners
    # The share of the triangle that lies between the point and the edge from each corner.
    share = np.einsum("nki,ni->nk", np.cross(offset, np.roll(offset, -1, axis=1)), normal)
    on = share <= ON_EDGE * np.einsum("ni,ni->n", normal, normal)[:, None]
    code = on @ np.array([1, 2, 4])
    return np.asarray(FEATURE[code])


def pseudonormals_of(faces: Rows, corners: Floats, normals: Floats) -> Floats:
    """Normals of each face, its edges and its corners, in the order of :func:`feature_of`.

    Parameters
    ----------
    faces
        (m, 3)
    corners
        (m, 3, 3), the vertices of each face.
    normals
        (m, 3), of each face.

    Returns
    -------
    pseudonormals
        (m, 7, 3), of any length.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    >>> normals = np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    >>> pseudonormals_of(faces, x[faces], normals)[0, 4] / (0.5 * np.pi)
    array([-1., -1., -1.])
    """
    edges, edge_of, _ = edges_of(faces)
    along = np.roll(corners, -1, axis=1) - corners
    along /= np.linalg.norm(along, axis=2, keepdims=True)
    cosine = -np.einsum("nki,nki->nk", along, np.roll(along, 1, axis=1))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    at_edges, at_corners = np.zeros((len(edges), 3)), np.zeros((faces.max() + 1, 3))
    np.add.at(at_edges, edge_of, normals[:, None])
    np.add.at(at_corners, faces, angle[:, :, None] * normals[:, None])
    return np.concatenate([normals[:, None], at_edges[edge_of], at_corners[faces]], axis=1)
