"""What somebody's own point cloud must satisfy, and what to do when it does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points, check_finite, rows_text
from dtpinn.geometry import Cell, Domain
from dtpinn.nodes.walls import Walls

# Nodes nearer to each other than this share of the spacing make a stencil's matrix singular.
DUPLICATE = 1e-6
# Boundary nodes among which walls are looked for between a boundary node and interior ones.
BESIDE = 8
# Mean cosine between a normal and the way to the nearest interior nodes. Inward normals measure
# 0.7 to 1.0; outward ones are negative, but at the tip of a slit or at a re-entrant corner, where
# nodes lie on both sides, they come up to 0.1.
INWARD = 0.25
# In spacings.
ON_BOUNDARY = 0.1


def as_cloud(points: npt.ArrayLike, name: str, dimension: int | None = None) -> Floats:
    """Return ``points`` as a float64 array (n, d), d as given or 1 to 3, not empty, and finite.

    Raises
    ------
    ValueError
        Naming the rows at fault.

    Examples
    --------
    >>> as_cloud([[0, 1]], "interior")
    array([[0., 1.]])
    """
    array = as_points(points, dimension, name)
    if not len(array):
        raise ValueError(
            f"{name} is empty. Nodes need interior points, where the equation holds, "
            "and boundary points, where the condition holds"
        )
    check_finite(array, name)
    return array


def check_distinct(
    interior: Floats,
    boundary: Floats,
    spacing: float,
    walls: Walls | None,
    given: npt.NDArray[np.integer],
    cell: Cell,
) -> None:
    """Check that no two points of X are the same to within ``1e-6 * spacing``.

    Two boundary points may be, if a wall is between them: on the two faces of a slit. ``given``
    (nb,) are the rows that a message calls the boundary points by. In a periodic ``cell`` images
    are the same point.

    Raises
    ------
    ValueError
        Naming the first pair.
    """
    points = np.concatenate([interior, boundary])
    pairs = cell.tree(points).query_pairs(DUPLICATE * spacing, output_type="ndarray")
    count = len(interior)
    if len(pairs) and walls is not None:
        # Of the walls, which know images as well, the rows of these nodes.
        rows = np.where(pairs < count, pairs, pairs - count + walls.interior_count)
        asked = _with_boundary_beside(rows, walls.points, walls.interior_count)
        pairs = pairs[~walls.hidden(walls.eyes[rows[:, 0]], asked)[:, 1]]
    if not len(pairs):
        return
    first = [
        f"interior[{row}]" if row < count else f"boundary[{given[row - count]}]"
        for row in sorted(pairs[np.lexsort(pairs.T[::-1])[0]])
    ]
    raise ValueError(
        f"points must differ; {first[0]} and {first[1]} are the same point, "
        f"{points[pairs[:, 0].min()]} ({len(pairs)} such pairs in all). Keep one of each; "
        + (
            "images of a point in other periods are the same point"
            if cell.periodic
            else "two points on the faces of a slit have opposite normals"
        )
    )


def check_outward(
    interior: Floats,
    boundary: Floats,
    normals: Floats,
    walls: Walls,
    given: npt.NDArray[np.integer],
) -> None:
    """Check that the nearest interior nodes lie behind the normals.

    The ``2 d + 1`` nearest interior nodes of a boundary node vote, by the mean cosine between the
    way to them and the normal: on a non-convex domain one of them may be around the corner. Those
    behind a wall have no vote, unless all are: then the normal itself may have the wrong sense. At
    the end of a wall the domain is all around, and there is none: but with no node on one side it
    is no such end, and the normal of one node only made it look so.
    ``given`` (m,) are the rows that a message calls the first boundary points by; those after them
    are images of a periodic cell, which are not asked. ``normals`` are (m, d).

    Raises
    ------
    ValueError
        Naming the rows at fault.
    """
    count = min(2 * interior.shape[1] + 1, len(interior))
    points, boundary = np.concatenate([interior, boundary]), boundary[: len(given)]
    _, rows = cKDTree(interior).query(boundary, k=range(1, count + 1))
    way = interior[rows] - boundary[:, None]
    way /= np.linalg.norm(way, axis=2, keepdims=True)
    asked = np.column_stack([np.arange(len(boundary)) + len(interior), rows])
    eyes = walls.eyes[asked[:, 0]]
    asked = _with_boundary_beside(asked, points, len(interior))
    votes = ~walls.hidden(eyes, asked)[:, 1 : count + 1]
    votes[~votes.any(axis=1)] = True
    cosines = np.einsum("nki,ni->nk", way, normals)
    around = walls.tip[: len(given)] & (cosines.min(axis=1) < 0.0)
    bad = np.flatnonzero(((cosines * votes).sum(axis=1) / votes.sum(axis=1) > INWARD) & ~around)
    if bad.size:
        raise ValueError(
            f"normals must point out of the domain; in {rows_text(given[bad])} of {len(normals)} "
            "they point towards the nearest interior nodes. Use -normals for these rows"
        )


def _with_boundary_beside(
    nodes: npt.NDArray[np.integer], points: Floats, count: int
) -> npt.NDArray[np.integer]:
    """Return ``nodes`` (k, m) with the boundary nodes around the first of each row, (k, m + 8)."""
    tree = cKDTree(points[count:])
    asked = np.arange(1, min(BESIDE, tree.n) + 1)
    beside = np.asarray(tree.query(points[nodes[:, 0]], k=asked)[1])
    return np.concatenate([nodes, count + beside], axis=1)


def check_domain(domain: object) -> None:
    """Check that it is a domain.

    Raises
    ------
    TypeError
        If it is anything else.

    Examples
    --------
    >>> check_domain("disk")
    Traceback (most recent call last):
    ...
    TypeError: domain must be a dtpinn.geometry.Domain, such as Disk(); got str
    """
    if not isinstance(domain, Domain):
        raise TypeError(
            f"domain must be a dtpinn.geometry.Domain, such as Disk(); got {type(domain).__name__}"
        )


def check_belonging(domain: Domain, interior: Floats, boundary: Floats, spacing: Floats) -> None:
    """Check that the points are where ``domain`` has its inside and its boundary.

    Parameters
    ----------
    domain
        Of the same dimension.
    interior
        (ni, d), which must lie strictly inside.
    boundary
        (nb, d), which must lie on the boundary to within a tenth of ``spacing``: the boundary of
        a cloud may be that of a mesh.
    spacing
        (nb,), at the boundary nodes.

    Raises
    ------
    ValueError
        Naming the rows at fault.
    """
    if domain.dimension != interior.shape[1]:
        raise ValueError(
            f"the domain is {domain.dimension}-dimensional; the points have "
            f"{interior.shape[1]} coordinates"
        )
    bad = np.flatnonzero(domain.signed_distance(interior) >= 0.0)
    if bad.size:
        raise ValueError(
            f"interior points must lie inside the domain; {rows_text(bad)} of {len(interior)} "
            f"do not, the first at {interior[bad[0]]}. Leave them out"
        )
    distance = domain.signed_distance(boundary)
    bad = np.flatnonzero(np.abs(distance) > ON_BOUNDARY * spacing)
    if bad.size:
        first = distance[bad[0]]
        raise ValueError(
            f"boundary points must lie on the boundary of the domain; {rows_text(bad)} of "
            f"{len(boundary)} do not, the first at {boundary[bad[0]]} lies {abs(first):.3g} "
            f"{'inside' if first < 0.0 else 'outside'}. Move them there, or leave them out"
        )


def part_index(parts: Sequence[str] | None, count: int) -> tuple[Integers, tuple[str, ...]]:
    """Index and names of the boundary parts, from one name per boundary node.

    Names come in the order in which they first occur.

    Raises
    ------
    TypeError
        If a name is not a string.
    ValueError
        If there is not one name per node.

    Examples
    --------
    >>> part_index(["wall", "inlet", "wall"], 3)
    (array([0, 1, 0]), ('wall', 'inlet'))
    """
    if parts is None:
        return np.zeros(count, dtype=np.int64), ("boundary",)
    if isinstance(parts, str) or len(parts) != count:
        raise ValueError(
            f"parts must hold one name per boundary node, {count} in all; got "
            + (f"the single name {parts!r}" if isinstance(parts, str) else f"{len(parts)}")
        )
    for row, name in enumerate(parts):
        if not isinstance(name, str):
            raise TypeError(f"parts must hold names; parts[{row}] is {name!r}")
    names = tuple(dict.fromkeys(str(name) for name in parts))
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[name] for name in parts], dtype=np.int64), names
