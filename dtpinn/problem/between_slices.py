"""Values between the slices of a solution in space-time."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import make_interp_spline

from dtpinn.arrays import Floats, Integers

DEGREE = 5
"""Of the spline; fewer slices have one of a lower degree."""
# Values that are held at once, at all slices: 64 MB.
_TOGETHER = 2**23


def between_slices(
    times: Floats, values: Floats, wanted: Floats, of: Integers
) -> tuple[Floats, float]:
    """Return values at any of the times, and what another spline makes of them.

    Parameters
    ----------
    times : (n_times,) array
    values : (places, n_times, fields) array
    wanted : (m,) array
        Times, within the others.
    of : (m,) int array
        The place of each.

    Returns
    -------
    (m, fields) array
        By splines of degree 5 through all slices.
    float
        The relative l2 difference to splines two degrees lower: about the error of those. What
        happens as often as the slices come, or more, neither sees.

    Raises
    ------
    ValueError
        If a time is none of the problem's.

    Examples
    --------
    >>> t = np.linspace(0.0, 1.0, 9)
    >>> at_slices, wanted, place = np.sin(t)[None, :, None], np.array([0.55]), np.array([0])
    >>> values, change = between_slices(t, at_slices, wanted, place)
    >>> bool(abs(values[0, 0] - np.sin(0.55)) < 1e-8), change < 1e-5
    (True, True)
    """
    outside = (wanted < times[0]) | (wanted > times[-1]) | ~np.isfinite(wanted)
    if outside.any():
        raise ValueError(
            f"times must lie between {times[0]:g} and {times[-1]:g}, those of the solution; got "
            f"{wanted[outside][0]:g}"
        )
    degree = min(DEGREE, len(times) - 1)
    lower = max(1, degree - 2)
    distinct, which = np.unique(wanted, return_inverse=True)
    high, low = (_weights(times, distinct, k) for k in (degree, lower))
    found = np.empty((len(wanted), values.shape[2]))
    difference = 0.0
    step = max(1, _TOGETHER // values[0].size)
    for rows in np.array_split(np.arange(len(wanted)), -(-len(wanted) // step) or 1):
        here = values[of[rows]]
        found[rows] = np.einsum("mt,mtf->mf", high[which[rows]], here)
        other = np.einsum("mt,mtf->mf", low[which[rows]], here)
        difference += float(((found[rows] - other) ** 2).sum())
    size = float(np.linalg.norm(found))
    return found, float(np.sqrt(difference)) / size if size else 0.0


def _weights(times: Floats, wanted: Floats, degree: int) -> Floats:
    """What a spline through values at `times` makes of each at the wanted ones, (wanted, times)."""
    spline = make_interp_spline(times, np.eye(len(times)), degree)
    return np.asarray(spline(wanted))
