"""Scales that take the units out of a sparse matrix: powers of two for its rows and its columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, sparray

from dtpinn.arrays import Floats

# Entries so much smaller than the largest of their row, and than that of their column, are what
# rounding has left of zeros, and say nothing of a size.
_NOISE = 1e-10
# Sweeps at most, and the change of a scale, in powers of two, after which they have settled.
_SWEEPS, _SETTLED = 50, 0.1
# Passes that bring the largest entry of every row and column to 1 in the end.
_PASSES = 5


@dataclass(frozen=True)
class Scales:
    """``rows[i] * a_ij * columns[j]`` is a matrix without units, its entries about 1.

    Attributes
    ----------
    rows : (m,) array
        Of the equations: ``rows * r`` is a residual in natural units.
    columns : (n,) array
        Of the unknowns: ``u / columns`` is a solution in natural units.
    """

    rows: Floats
    columns: Floats

    def __call__(self, matrix: csc_array) -> csc_array:
        """Return the scaled matrix; exact, as the scales are powers of two."""
        columns = np.repeat(self.columns, np.diff(matrix.indptr))
        data = matrix.data * self.rows[matrix.indices] * columns
        return csc_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def equilibrate(matrix: sparray) -> Scales:
    """Return the scales of a matrix, whatever units its rows and columns are in.

    The logarithms of the entries are made as small as they can be in the sense of least squares
    (Curtis and Reid, J. Inst. Maths Applics 10, 1972), by alternating means. Its minimum is the
    same matrix whatever the units were, which is not so of the largest entries alone: where those
    of a pressure hide those of a velocity, every row and column may have one of size 1 and still
    the velocity be lost. From there a few passes bring the largest entry of each row and column
    to 1 (Ruiz, RAL-TR-2001-034).

    Parameters
    ----------
    matrix : (m, n) sparse array, real or complex
        Empty rows and columns keep the scale 1.

    Examples
    --------
    >>> pascal, metre = 1e11, 1e-5
    >>> A = csc_array(np.array([[2 * pascal / metre**2, pascal / metre], [0.0, 1.0]]))
    >>> scales = equilibrate(A)
    >>> bool(np.all(scales(A).toarray()[[0, 0, 1], [0, 1, 1]] >= 0.5))
    True
    """
    entries = abs(csc_array(matrix)).tocoo()
    size, i, j = entries.data, entries.row, entries.col
    m, n = matrix.shape
    i, j, log = i[size > 0.0], j[size > 0.0], np.log2(size[size > 0.0])
    rows, columns = _means(log, i, j, np.zeros(m), np.zeros(n))
    scaled = np.exp2(log + rows[i] + columns[j])
    telling = scaled > _NOISE * np.minimum(_largest(scaled, i, m)[i], _largest(scaled, j, n)[j])
    i, j, log = i[telling], j[telling], log[telling]
    if not telling.all():
        rows, columns = _means(log, i, j, rows, columns)
    for _ in range(_PASSES):
        scaled = np.exp2(log + rows[i] + columns[j])
        rows -= _log_of(_largest(scaled, i, m)) / 2.0
        columns -= _log_of(_largest(scaled, j, n)) / 2.0
    return Scales(np.exp2(np.rint(rows)), np.exp2(np.rint(columns)))


def _means(
    log: Floats, i: NDArray[np.integer], j: NDArray[np.integer], rows: Floats, columns: Floats
) -> tuple[Floats, Floats]:
    """Logarithms of scales that leave every row and column a mean of 0, from these on."""
    for _ in range(_SWEEPS):
        before = rows, columns
        rows = -_mean(log + columns[j], i, len(rows))
        columns = -_mean(log + rows[i], j, len(columns))
        if max(_change(rows, before[0]), _change(columns, before[1])) < _SETTLED:
            break
    return rows, columns


def _largest(size: Floats, index: NDArray[np.integer], count: int) -> Floats:
    result = np.zeros(count)
    np.maximum.at(result, index, size)
    return result


def _mean(values: Floats, index: NDArray[np.integer], count: int) -> Floats:
    number = np.bincount(index, minlength=count)
    return np.asarray(np.bincount(index, values, count) / np.maximum(number, 1))


def _change(now: Floats, before: Floats) -> float:
    return float(np.abs(now - before).max(initial=0.0))


def _log_of(size: Floats) -> Floats:
    return np.log2(np.where(size > 0.0, size, 1.0))
