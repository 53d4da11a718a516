"""Filling a domain on the line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.geometry import Domain

Floats = npt.NDArray[np.float64]


def fill_line(domain: Domain, ends: Floats, spacing: float) -> Floats:
    """Nodes inside a one-dimensional ``domain``, equispaced between its end points.

    A front would advance one node at a time here and leave an uneven gap where two of them meet.
    Each interval is divided instead into the number of equal steps nearest to ``spacing``.

    Parameters
    ----------
    domain
        In one dimension.
    ends
        (nb, 1), its boundary points.
    spacing
        Wanted distance between neighbours.

    Returns
    -------
    interior
        (ni, 1), ascending.

    Examples
    --------
    >>> from dtpinn.geometry import Boundary, Domain
    >>> class Interval(Domain):
    ...     dimension, parts, bounds = 1, ("ends",), np.array([[0.0], [1.0]])
    ...     def signed_distance(self, points):
    ...         return np.abs(points[:, 0] - 0.5) - 0.5
    ...     def walk_boundary(self, spacing):
    ...         return Boundary([[0.0], [1.0]], [[-1.0], [1.0]], [0, 0], self.parts)
    >>> fill_line(Interval(), np.array([[0.0], [1.0]]), 0.3)[:, 0].round(3)
    array([0.333, 0.667])
    """
    left, right = np.sort(ends[:, 0])[:-1], np.sort(ends[:, 0])[1:]
    inside = domain.contains(0.5 * (left + right)[:, None])
    left, right = left[inside], right[inside]
    steps = np.maximum(np.rint((right - left) / spacing).astype(np.int64), 1)
    inner = steps - 1
    interval = np.repeat(np.arange(len(steps)), inner)
    # 1, 2, ..., within each interval.
    position = np.arange(len(interval)) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    step = (right - left) / steps
    return np.asarray(left[interval] + step[interval] * position)[:, None]
