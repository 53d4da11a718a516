"""A spacing that grows with the distance from where small features are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats
from dtpinn.checks import as_points, check_finite, positive_length
from dtpinn.geometry import Cell, Domain
from dtpinn.geometry.spacing import Spacing

# Of the spacing, per unit of length. On the disk, refined 20 times towards its centre, nodes come
# as near as 0.88, 0.80, 0.71, 0.6 and 0.45 local spacings at a growth of 0.1, 0.2, 0.3, 0.5 and 1,
# as candidates keep clear by their parent's spacing. Holes are no wider than at a constant spacing.
STEEPEST = 0.3


def graded(
    towards: Domain | npt.ArrayLike,
    near: float,
    far: float,
    growth: float = 0.1,
    *,
    domain: Domain | None = None,
) -> Spacing:
    """Spacing ``near`` at a boundary or at points, growing away from there to ``far``.

    ``min(far, near + growth * distance)``. Several wishes are combined by the least of them:
    ``lambda x: np.minimum(first(x), second(x))``.

    Parameters
    ----------
    towards
        A domain, whose boundary is meant, or points (k, d), or one point (d,).
    near, far
        Spacing there, and far from there.
    growth
        By how much the spacing grows per unit of length, at most 0.3: of neighbouring nodes one
        then has up to 1.3 times the spacing of the other. The gentler, the rounder the stencils
        and the more nodes.
    domain
        Where the nodes are to be placed, if it is periodic: distances to points are then those
        across its seams, where these are shorter.

    Returns
    -------
    spacing
        Takes points (n, d), gives lengths (n,).

    Raises
    ------
    TypeError
        If a length is not a number.
    ValueError
        If ``near`` or ``far`` is not positive, ``near`` is larger than ``far``, or ``growth`` is
        out of range.

    Examples
    --------
    >>> spacing = graded([0.0, 0.0], near=0.01, far=0.1, growth=0.2)
    >>> spacing(np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0]]))
    array([0.01, 0.03, 0.1 ])

    On a ring the seam is no distance:

    >>> from dtpinn.geometry import Interval
    >>> ring = Interval(0.0, 1.0, periodic=True)
    >>> graded([0.95], near=0.01, far=0.1, growth=0.2, domain=ring)(np.array([[0.05], [0.5]]))
    array([0.03, 0.1 ])
    """
    least, most = positive_length(near, "near"), positive_length(far, "far")
    rate = positive_length(growth, "growth")
    if least > most:
        raise ValueError(f"near must not be larger than far; got near={least:g} and far={most:g}")
    if rate > STEEPEST:
        raise ValueError(
            f"growth must be at most {STEEPEST:g}, or nodes come too near; got growth={rate:g}"
        )
    distance = _distance_to(towards, domain)
    return lambda points: np.minimum(most, least + rate * distance(points))


def scaled(spacing: Spacing, factor: float) -> Spacing:
    """Return ``spacing`` with all its values multiplied by ``factor``.

    Examples
    --------
    >>> scaled(lambda points: 1.0 + points[:, 0], 0.5)(np.array([[0.0], [1.0]]))
    array([0.5, 1. ])
    """
    return lambda points: factor * np.asarray(spacing(points))


def check_growth(points: Floats, spacing: Floats, cell: Cell) -> None:
    """Check that ``spacing`` (n,) at ``points`` (n, d) changes gently from neighbour to neighbour.

    In a periodic ``cell``, across its seam as well.

    Raises
    ------
    ValueError
        If it changes by more than 0.3 per unit of length, naming the points.

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [0.2]])
    >>> check_growth(x, np.array([0.1, 0.1, 0.2]), Cell.open(1))
    Traceback (most recent call last):
    ...
    ValueError: spacing changes by 1 per unit of length between (0.1) and (0.2), from 0.1 to 0.2 \
(at 1 of 3 nodes it is too steep); above 0.3 \
nodes come too near. Use dtpinn.nodes.graded, or a gentler function
    """
    if spacing.min() == spacing.max():
        return
    count = min(2 * points.shape[1] + 2, len(points))
    distance, rows = cell.tree(points).query(points, k=range(2, count + 1))
    slope = np.abs(spacing[rows] - spacing[:, None]) / distance
    # Towards the smaller spacing only, so that a step is told once; the allowance is round-off.
    slope[spacing[rows] > spacing[:, None]] = 0.0
    steep = np.flatnonzero(slope.max(axis=1) > STEEPEST * (1.0 + 1e-6))
    if steep.size:
        row = int(slope.max(axis=1).argmax())
        other = int(rows[row, slope[row].argmax()])
        first, second = ("(" + ", ".join(f"{x:.4g}" for x in points[i]) + ")" for i in (other, row))
        raise ValueError(
            f"spacing changes by {slope[row].max():.3g} per unit of length between {first} and "
            f"{second}, from {spacing[other]:.3g} to {spacing[row]:.3g} (at {steep.size} of "
            f"{len(points)} nodes it is too steep); above {STEEPEST:g} nodes come too near. "
            "Use dtpinn.nodes.graded, or a gentler function"
        )


def _distance_to(
    towards: Domain | npt.ArrayLike, domain: Domain | None
) -> Callable[[Floats], Floats]:
    if isinstance(towards, Domain):
        return lambda points: np.abs(towards.signed_distance(points))
    places = as_points(np.atleast_2d(np.asarray(towards)), name="towards")
    check_finite(places, "towards")
    tree = cKDTree(places) if domain is None else domain.cell.tree(domain.cell.wrap(places))
    return lambda points: np.asarray(tree.query(points)[0])
