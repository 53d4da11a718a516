"""Values between the slices of a solution in space-time, by what the integration knows of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Floats, Integers

AROUND = 3
"""Ends of steps on either side that an interpolation takes into account."""
SLACK = 1e-6
"""Beyond the first and the last time, of the time between them: float32 rounds by a tenth of it."""
# Values that are held at once, at all ends of steps: 64 MB.
_TOGETHER = 2**23


class Path(NamedTuple):
    """What an integration has passed, at the ends of its steps: the slices are among them.

    Attributes
    ----------
    times : (steps + 1,) array
    values, rates : (n, steps + 1, fields) array
        u and du/dt; NaN where a rate is not known: at the start of a problem of first order, and of
        a field without one in the equations, such as a pressure.
    """

    times: Floats
    values: Floats
    rates: Floats


def between_slices(path: Path, wanted: Floats, of: Integers, rate: int) -> tuple[Floats, float]:
    """Return values at any of the times, and what another interpolation makes of them.

    Parameters
    ----------
    path : Path
        Of the places in question.
    wanted : (m,) array
        Times, within the others.
    of : (m,) int array
        The place of each.
    rate : int
        How many derivatives in time.

    Returns
    -------
    (m, fields) array
        By polynomials that have the values and the rates of the three ends of steps on either side.
    float
        The relative l2 difference to those of the two ends on either side: about the error of
        these, and far above that of the others; of several fields, of those with known rates and
        those without, the largest. Rates may vanish: they are measured by what they are on average
        over a step, where that is the largest.

    Raises
    ------
    ValueError
        If a time is none of the problem's.

    Examples
    --------
    >>> t = np.linspace(0.0, 1.0, 5)
    >>> path = Path(t, np.sin(t)[None, :, None], np.cos(t)[None, :, None])
    >>> for rate, exact in enumerate([np.sin(0.55), np.cos(0.55)]):
    ...     values, change = between_slices(path, np.array([0.55]), np.array([0]), rate)
    ...     print(bool(abs(values[0, 0] - exact) < 1e-7), change < 1e-4)
    True True
    True True
    """
    times = path.times
    slack = SLACK * (times[-1] - times[0])
    outside = ~((wanted >= times[0] - slack) & (wanted <= times[-1] + slack))  # also for NaN
    if outside.any():
        raise ValueError(
            f"times must lie between {times[0]:g} and {times[-1]:g}, those of the solution; got "
            f"{wanted[outside][0]:g}"
        )
    wanted = np.clip(wanted, times[0], times[-1])
    known = np.asarray(np.isfinite(path.rates).all(axis=0))
    found, difference = np.empty((len(wanted), known.shape[1])), 0.0
    for pattern in np.unique(known, axis=1).T:
        alike = (known == pattern[:, None]).all(axis=0)
        own = Path(times, path.values[..., alike], path.rates[..., alike])
        found[:, alike], change = _of_fields(own, pattern, wanted, of, rate)
        difference = max(difference, change)
    return found, difference


def _of_fields(
    path: Path, known: NDArray[np.bool_], wanted: Floats, of: Integers, rate: int
) -> tuple[Floats, float]:
    """The same of fields whose rates are known at the same ends of steps, (steps + 1,)."""
    times = path.times
    distinct, which = np.unique(wanted, return_inverse=True)
    # Beside each other, the values and then the rates that are known.
    both = np.concatenate([path.values, path.rates[:, known]], axis=1)
    wide, narrow = (_weights(times, known, distinct, rate, k) for k in (AROUND, AROUND - 1))
    found = np.empty((len(wanted), both.shape[2]))
    difference = 0.0
    step = max(1, _TOGETHER // max(both[0].size, 1))
    for rows in np.array_split(np.arange(len(wanted)), -(-len(wanted) // step) or 1):
        here = both[of[rows]]
        found[rows] = np.einsum("mt,mtf->mf", wide[which[rows]], here)
        other = np.einsum("mt,mtf->mf", narrow[which[rows]], here)
        difference += float(((found[rows] - other) ** 2).sum())
    size = float(np.linalg.norm(found))
    if rate:
        at, before = (times, path.values) if rate == 1 else (times[known], path.rates[:, known])
        changes = np.abs(np.diff(before, axis=1) / np.diff(at)[:, None]).max(axis=1, initial=0.0)
        size = max(size, float(np.linalg.norm(changes[of])))
    return found, float(np.sqrt(difference)) / size if size else 0.0


def _weights(
    times: Floats, known: NDArray[np.bool_], wanted: Floats, rate: int, around: int
) -> Floats:
    """What every value and every rate that is known counts at the wanted times, (wanted, k)."""
    count = len(times)
    rate_at = count + np.cumsum(known) - 1
    result = np.zeros((len(wanted), count + int(known.sum())))
    spans = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, count - 2)
    for span in np.unique(spans):
        rows = np.flatnonzero(spans == span)
        first = max(0, min(span - around + 1, count - 2 * around))
        ends = np.arange(first, min(first + 2 * around, count))
        of_rates = ends[known[ends]]
        middle, length = 0.5 * (times[span] + times[span + 1]), 0.5 * np.ptp(times[ends])
        degree = np.arange(len(ends) + len(of_rates))
        local = (times - middle) / length
        conditions = np.concatenate(
            [local[ends, None] ** degree, _derived(local[of_rates], degree, 1) / length]
        )
        at = _derived((wanted[rows] - middle) / length, degree, rate) / length**rate
        columns = np.concatenate([ends, rate_at[of_rates]])
        result[np.ix_(rows, columns)] = np.linalg.solve(conditions.T, at.T).T
    return result


def _derived(at: Floats, degree: Integers, order: int) -> Floats:
    """Derivatives of monomials, (points, degrees)."""
    factors = np.array([math.perm(int(k), order) for k in degree], dtype=float)
    return np.asarray(factors * at[:, None] ** np.maximum(degree - order, 0))
