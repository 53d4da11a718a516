"""What somebody's own point cloud repeats, and whether it needs a boundary then."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.checks import as_normals, positive_length
from dtpinn.geometry import Cell, Domain
from dtpinn.nodes.checks import as_cloud


def boundary_of(
    boundary: npt.ArrayLike | None, normals: npt.ArrayLike | None, interior: Floats
) -> tuple[Floats, Floats]:
    """Boundary points and their normals, (nb, d) each, or none where neither is given.

    Raises
    ------
    ValueError
        If there are none, shapes disagree, or they are not finite.
    """
    if boundary is None and normals is None:
        return interior[:0], interior[:0]
    edge = as_cloud(boundary, "boundary", interior.shape[1])  # type: ignore[arg-type]
    return edge, as_normals(normals, edge)  # type: ignore[arg-type]


def cell_of(periods: Sequence[float | None] | None, domain: Domain | None, points: Floats) -> Cell:
    """Period of ``points`` (n, d), as it is given or as the ``domain`` has it.

    Raises
    ------
    ValueError
        If there is not one for each direction, one is not positive, the points reach farther than
        the period, or the domain has another one.

    Examples
    --------
    >>> cell_of((1.0, None), None, np.array([[0.25, 0.0], [0.75, 3.0]]))
    Cell(lower=(0.25, 0.0), periods=(1.0, inf))
    """
    dimension = points.shape[1]
    known = Cell.open(dimension) if domain is None else domain.cell
    if periods is None:
        return known
    if isinstance(periods, (str, float, int)) or len(periods) != dimension:
        raise ValueError(
            f"periods must hold {dimension} numbers, one for each direction, or None where there "
            f"is none; got {periods!r}"
        )
    lengths = tuple(math.inf if p is None else positive_length(p, "a period") for p in periods)
    axes = [k for k, length in enumerate(lengths) if math.isfinite(length)]
    lower, extent = points.min(axis=0), np.ptp(points, axis=0)
    for k in axes:
        if extent[k] > lengths[k] * (1.0 + 1e-9):
            raise ValueError(
                f"the points reach over {extent[k]:g} in the direction {'xyz'[k]}, more than the "
                f"period of {lengths[k]:g}; leave out images, or give the period of all of them"
            )
    start = tuple(float(lower[k]) if k in axes else 0.0 for k in range(dimension))
    cell = Cell(start, lengths)
    if known.periodic:
        if not known.same_as(cell):
            raise ValueError(f"periods={periods!r}, but the domain has {known.periods}")
        return known
    return cell


def check_closed(cell: Cell) -> None:
    """Check that there need be no boundary.

    Raises
    ------
    ValueError
        If a direction has no period.
    """
    if len(cell.axes) < len(cell.periods):
        raise ValueError(
            "boundary is empty. Nodes need boundary points, where the condition holds, unless they "
            "are periodic in all directions; periods= says so"
        )
