"""Points on the boundary of a domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from dtpinn.geometry.checks import as_points

# Normals farther than this from length one are a mistake, not round-off.
UNIT_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Boundary:
    """Points on a boundary with their normals and the part that each belongs to.

    Anything array-like is accepted; the arrays kept are read-only copies.

    Attributes
    ----------
    points
        (nb, d)
    normals
        (nb, d), of unit length, pointing out of the domain.
    part
        (nb,) integers: ``names[part[i]]`` is the part of point i.
    names
        Names of the parts, in the domain's order.

    Raises
    ------
    TypeError
        If ``part`` does not hold integers.
    ValueError
        If shapes disagree, a coordinate is not finite, a normal is not of unit length, a name
        comes twice, or ``part`` points past ``names``.

    Examples
    --------
    >>> ends = Boundary([[0.0], [1.0]], [[-1.0], [1.0]], [0, 1], ("left", "right"))
    >>> len(ends), ends.dimension
    (2, 1)
    """

    points: npt.NDArray[np.float64]
    normals: npt.NDArray[np.float64]
    part: npt.NDArray[np.int64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float64, order="C")
        if points.ndim != 2:
            raise ValueError(f"points must have shape (nb, d); got shape {points.shape}")
        normals = as_points(self.normals, points.shape[1], "normals").copy(order="C")
        names = tuple(str(name) for name in np.atleast_1d(self.names))
        _check_points(points, normals)
        part = _check_part(self.part, names, len(points))
        for name, array in (("points", points), ("normals", normals), ("part", part)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        """Return the number of points, nb."""
        return len(self.points)

    def __repr__(self) -> str:
        return f"Boundary({len(self)} points in {self.dimension}-D, parts {', '.join(self.names)})"

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return cast(int, self.points.shape[1])


def _check_points(points: npt.NDArray[np.float64], normals: npt.NDArray[np.float64]) -> None:
    if normals.shape != points.shape:
        raise ValueError(
            f"normals must have one row per point, shape {points.shape}; got {normals.shape}"
        )
    for name, array in (("points", points), ("normals", normals)):
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        if bad.size:
            raise ValueError(f"{name} must be finite; {name}[{bad[0]}] is {array[bad[0]]}")
    length = np.linalg.norm(normals, axis=1)
    bad = np.flatnonzero(np.abs(length - 1.0) > UNIT_TOLERANCE)
    if bad.size:
        raise ValueError(
            f"normals must have length 1; normals[{bad[0]}] has length {length[bad[0]]:g}. "
            "Divide each normal by its length"
        )


def _check_part(part: npt.ArrayLike, names: tuple[str, ...], count: int) -> npt.NDArray[np.int64]:
    if len(set(names)) != len(names):
        raise ValueError(f"names of parts must differ; got {names}")
    index = np.array(part)
    if index.size and index.dtype.kind not in "iu":
        raise TypeError(f"part must hold integers, rows of names; got dtype {index.dtype}")
    if index.shape != (count,):
        raise ValueError(f"part must have shape ({count},), one per point; got {index.shape}")
    bad = np.flatnonzero((index < 0) | (index >= len(names)))
    if bad.size:
        raise ValueError(
            f"part must index the {len(names)} names {names}; part[{bad[0]}] is {index[bad[0]]}"
        )
    return index.astype(np.int64)
