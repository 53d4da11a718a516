"""From weights, one stencil a row, to CSR matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from dtpinn.arrays import Floats
from dtpinn.rbffd.stencils import Stencils


def to_csr(stencils: Stencils, values: Mapping[str, Floats]) -> dict[str, csr_array]:
    """Turn rows of weights into CSR matrices with sorted columns.

    Parameters
    ----------
    stencils : Stencils
        Whose members are the columns.
    values : mapping of name to (rows, n) array
        The weights of the members.

    Returns
    -------
    dict of name to (rows, N) csr_array
        All with the same pattern, zeros included, and each with its own arrays.

    Examples
    --------
    >>> stencils = Stencils(np.zeros((4, 1)), np.array([[3, 0]]), np.ones(1))
    >>> to_csr(stencils, {"a": np.array([[5.0, 7.0]])})["a"].toarray()
    array([[7., 0., 0., 5.]])
    """
    rows, size = stencils.members.shape
    columns = len(stencils.points)
    index = np.int32 if max(rows * size, columns) <= np.iinfo(np.int32).max else np.int64
    by_column = np.argsort(stencils.members, axis=1)
    indices = np.take_along_axis(stencils.members, by_column, axis=1).astype(index).ravel()
    starts = np.arange(0, rows * size + 1, size, dtype=index)
    matrices = {}
    for name, weight in values.items():
        data = np.take_along_axis(weight, by_column, axis=1).ravel()
        # copy: SciPy edits index arrays in place (eliminate_zeros), which would reach the siblings.
        parts = (data, indices.copy(), starts.copy())
        matrix = csr_array(parts, shape=(rows, columns))
        matrix.has_canonical_format = True
        matrices[name] = matrix
    return matrices


def interleave(blocks: Sequence[csr_array], rows: Sequence[NDArray[np.intp]]) -> csr_array:
    """Stack blocks of rows, each in its own place.

    Parameters
    ----------
    blocks : sequence of (k, N) csr_array
        With sorted columns; at least one.
    rows : sequence of (k,) int arrays
        Where the rows of each block go; together 0, 1, 2, ... in some order.

    Returns
    -------
    csr_array

    Examples
    --------
    >>> ones, twos = csr_array(np.full((1, 2), 1.0)), csr_array(np.full((2, 2), 2.0))
    >>> interleave([ones, twos], [np.array([1]), np.array([0, 2])]).toarray()
    array([[2., 2.],
           [1., 1.],
           [2., 2.]])
    """
    if len(blocks) == 1 and np.array_equal(rows[0], np.arange(len(rows[0]))):
        return blocks[0]
    matrix: csr_array = vstack(blocks, format="csr")[np.argsort(np.concatenate(rows))]
    matrix.has_canonical_format = True
    return matrix


def folded(matrix: csr_array, origin: NDArray[np.integer] | None) -> csr_array:
    """Return a matrix on the nodes for one on these and their images around a periodic cell.

    Parameters
    ----------
    matrix : (rows, M) csr_array
    origin : (M,) int array or None
        The node that each column is an image of; None where there are no images.

    Examples
    --------
    >>> matrix = csr_array(np.array([[1.0, 2.0, 4.0]]))
    >>> folded(matrix, np.array([0, 1, 0])).toarray()
    array([[5., 2.]])
    """
    if origin is None:
        return matrix
    columns = origin[matrix.indices].astype(matrix.indices.dtype)
    shape = matrix.shape[0], int(origin.max()) + 1
    result = csr_array((matrix.data, columns, matrix.indptr), shape=shape)
    result.sum_duplicates()
    return result
