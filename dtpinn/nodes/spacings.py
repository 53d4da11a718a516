"""The spacing at each node: as it is given, or as the points tell it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.geometry.checks import as_floats, positive_length, rows_text
from dtpinn.geometry.spacing import SpacingLike, as_spacing

Floats = npt.NDArray[np.float64]

# A nominal spacing further off the median distance between neighbours is a mistake.
WIDELY = 10.0
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


def spacing_of(points: Floats, spacing: SpacingLike | None) -> Floats:
    """Spacing at ``points`` (n, d), if they are anything like that far apart; (n,).

    Parameters
    ----------
    points
        X
    spacing
        A number, a function of the place, or None for what is typical.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it is not positive, or in the median more than 10 times off the distance of a point to
        its nearest neighbour: ghosts would lie far outside, or on their boundary nodes.

    Examples
    --------
    >>> spacing_of(np.array([[0.0], [0.4], [0.9]]), 0.5)
    array([0.5, 0.5, 0.5])
    """
    typical = typical_spacing(points)
    if spacing is None:
        return np.full(len(points), typical)
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


def typical_spacing(points: Floats) -> float:
    """Median distance to the nearest neighbour, of those that have one apart from themselves.

    Examples
    --------
    >>> typical_spacing(np.array([[0.0], [1.0], [2.0], [5.0]]))
    1.0
    """
    distance = np.asarray(cKDTree(points).query(points, k=2)[0])[:, 1]
    apart = distance[distance > ROUND_OFF * float(np.ptp(points, axis=0).max())]
    return float(np.median(apart)) if apart.size else 1.0
