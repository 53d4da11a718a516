"""Filling a domain on the line."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.geometry import Domain
from dtpinn.geometry.spacing import Spacing, whole_steps

# The spacing is integrated over at least so many samples of an interval, and so many per step,
# which are put once more where the first ones find the steps to be.
SAMPLES, SAMPLES_PER_STEP = 256, 8


def fill_line(domain: Domain, ends: Floats, spacing: Spacing) -> Floats:
    """Nodes inside a one-dimensional ``domain``, in equal steps between its end points.

    A front would advance one node at a time here and leave an uneven gap where two of them meet.
    Each interval is divided instead into equal steps, measured in local spacings, as near to one
    as a whole number of them allows.

    Parameters
    ----------
    domain
        In one dimension.
    ends
        (nb, 1), its boundary points.
    spacing
        Takes points (n, 1), gives the wanted distance between neighbours there, (n,).

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
    >>> two_ends = np.array([[0.0], [1.0]])
    >>> fill_line(Interval(), two_ends, lambda x: np.full(len(x), 0.3))[:, 0].round(3)
    array([0.333, 0.667])
    >>> fill_line(Interval(), two_ends, lambda x: 0.1 + 0.3 * x[:, 0])[:, 0].round(3)
    array([0.107, 0.247, 0.432, 0.677])
    """
    stops, first, cell = np.sort(ends[:, 0]), ends[:0, 0], domain.cell
    if cell.periodic:
        # Round a circle, back to where one began; without an end that is a node itself.
        if not len(stops):
            stops = first = np.array(cell.lower)
        stops = np.append(stops, stops[0] + cell.periods[0])
    inside = domain.contains(0.5 * (stops[:-1] + stops[1:])[:, None])
    pieces = [
        _divide(*piece, spacing)
        for piece, within in zip(pairwise(stops), inside, strict=True)
        if within
    ]
    return cell.wrap(np.concatenate([first, *pieces])[:, None])


def _divide(start: float, stop: float, spacing: Spacing) -> Floats:
    """Points strictly between ``start`` and ``stop``, in equal steps."""
    x = np.linspace(start, stop, SAMPLES + 1)
    for last in (False, False, True):
        density = 1.0 / spacing(x[:, None])
        step = 0.5 * (density[1:] + density[:-1]) * np.diff(x)
        progress = np.concatenate([[0.0], np.cumsum(step)])
        if not last:
            count = max(SAMPLES, math.ceil(SAMPLES_PER_STEP * progress[-1]))
            x = np.interp(np.linspace(0.0, progress[-1], count + 1), progress, x)
    steps = max(int(whole_steps(progress[-1])), 1)
    return np.asarray(np.interp(np.arange(1, steps) / steps * progress[-1], progress, x))
