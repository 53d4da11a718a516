"""The spacing at each node: as it is given, or as the points tell it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.checks import as_floats, positive_length, rows_text
from dtpinn.geometry import Cell
from dtpinn.geometry.spacing import SpacingLike, as_spacing

# A nominal spacing further off the median distance between neighbours is a mistake.
WIDELY = 10.0
# Points are uneven where these quantiles of the distance between neighbours are so far apart.
SPREAD, UNEVEN = 0.05, 2.0
# Of the size of a cloud: points that differ by less are at one place.
ROUND_OFF = 1e-7


def as_spacings(spacing: npt.ArrayLike, count: int) -> Floats:
    """Return ``spacing``, one number or one for each of ``count`` nodes, as an array (count,).

    Raises
    ------
    TypeError
        If it does not hold numbers.
    ValueError
        If there is another number of them, or one is not finite and positive.

    Examples
    --------
    >>> as_spacings(0.5, 2)
    array([0.5, 0.5])
    """
    if np.ndim(spacing) == 0:
        return np.full(count, positive_length(spacing, "spacing"))  # type: ignore[arg-type]
    array = as_floats(spacing, "spacing")
    if array.shape != (count,):
        raise ValueError(
            f"spacing must be one number, or one for each node of X, {count}; "
            f"got shape {array.shape}"
        )
    bad = np.flatnonzero(~(np.isfinite(array) & (array > 0.0)))
    if bad.size:
        raise ValueError(
            f"spacing must be finite and positive; in {rows_text(bad)} it is {array[bad[0]]:g}"
        )
    return array


def spacing_of(points: Floats, spacing: SpacingLike | None, cell: Cell) -> Floats:
    """Spacing at ``points`` (n, d), if they are anything like that far apart; (n,).

    Parameters
    ----------
    points
        X
    spacing
        A number, a function of the place, or None for what is typical: of all points, or around
        each where it differs more than twofold.
    cell
        Of periodic points: neighbours may lie across its seam.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it is not positive, or in the median more than 10 times off the distance of a point to
        its nearest neighbour: ghosts would lie far outside, or on their boundary nodes.

    Examples
    --------
    >>> spacing_of(np.array([[0.0], [0.4], [0.9]]), 0.5, Cell.open(1))
    array([0.5, 0.5, 0.5])
    """
    typical = typical_spacing(points, cell)
    if spacing is None:
        local = local_spacing(points, cell)
        low, high = np.quantile(local, (SPREAD, 1.0 - SPREAD))
        return local if high > UNEVEN * low else np.full(len(points), typical)
    h = (
        as_spacing(spacing, np.array([points.min(axis=0), points.max(axis=0)]))(points)
        if callable(spacing)
        else np.full(len(points), positive_length(spacing, "spacing"))
    )
    nominal = float(np.median(h))
    if not typical / WIDELY <= nominal <= WIDELY * typical:
        raise ValueError(
            f"spacing={nominal:g} does not fit these points: the median distance of a node to its "
            f"nearest neighbour is {typical:.3g}, and they may differ {WIDELY:g} times at most. "
            f"Use spacing={typical:.3g}, or leave it out"
        )
    return h


def local_spacing(points: Floats, cell: Cell) -> Floats:
    """Median distance to the second neighbour among the 2 d + 1 points nearest to each, (n,).

    The first one may lie across a slit.

    Examples
    --------
    >>> x = np.array([0.0, 0.1, 0.2, 0.3, 1.3, 2.3, 3.3])
    >>> local_spacing(x[:, None], Cell.open(1))
    array([0.1, 0.1, 0.1, 0.1, 1. , 1. , 1. ])
    """
    tree, count = cell.tree(points), min(2 * points.shape[1] + 1, len(points))
    distance = np.asarray(tree.query(points, k=[min(3, len(points))])[0])[:, 0]
    around = np.asarray(tree.query(points, k=range(1, count + 1))[1])
    return np.asarray(np.median(distance[around], axis=1))


def typical_spacing(points: Floats, cell: Cell) -> float:
    """Median distance to the nearest neighbour, of those that have one apart from themselves.

    Examples
    --------
    >>> typical_spacing(np.array([[0.0], [1.0], [2.0], [5.0]]), Cell.open(1))
    1.0
    """
    distance = np.asarray(cell.tree(points).query(points, k=2)[0])[:, 1]
    apart = distance[distance > ROUND_OFF * float(np.ptp(points, axis=0).max())]
    return float(np.median(apart)) if apart.size else 1.0
