"""The matrices every backend of the product has to get right."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def unsorted_with_duplicates() -> sp.csr_array:
    """Columns out of order within a row, one entry stored twice: they add up."""
    data = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    return sp.csr_array((data, np.array([2, 0, 1, 1, 0]), np.array([0, 2, 4, 5])), shape=(3, 3))


def with_a_dense_row() -> sp.csr_array:
    body = sp.random_array((60, 500), density=0.01, rng=1, format="lil")
    body[17, :] = np.linspace(-1.0, 1.0, 500)
    return body.tocsr()


def equal_rows(rows: int, columns: int, length: int) -> sp.csr_array:
    """What RBF-FD makes: every row as long as the stencil."""
    rng = np.random.default_rng(2)
    col = np.argsort(rng.random((rows, columns)), axis=1)[:, :length].ravel()
    crow = np.arange(0, rows * length + 1, length)
    return sp.csr_array((rng.standard_normal(rows * length), col, crow), shape=(rows, columns))


def uneven(rows: int, heavy: int) -> sp.csr_array:
    """One row of `heavy` entries among short ones: rows cannot be shared out by their number."""
    rng = np.random.default_rng(5)
    lengths = np.full(rows, 12)
    lengths[rows // 3] = heavy
    crow = np.concatenate([[0], np.cumsum(lengths)])
    col = rng.integers(0, 200, crow[-1])
    return sp.csr_array((rng.standard_normal(crow[-1]), col, crow), shape=(rows, 200))


MATRICES = {
    "random": sp.random_array((70, 90), density=0.1, rng=0, format="csr"),
    "empty rows": sp.random_array((90, 40), density=0.01, rng=0, format="csr"),
    "dense row": with_a_dense_row(),
    "equal rows of 31": equal_rows(64, 80, 31),
    "tall": sp.random_array((200, 3), density=0.4, rng=3, format="csr"),
    "wide": sp.random_array((3, 200), density=0.4, rng=4, format="csr"),
    "1 x 1": sp.csr_array(np.array([[2.5]])),
    "1 x 1, nothing stored": sp.csr_array((1, 1)),
    "unsorted, duplicates": unsorted_with_duplicates(),
    "no rows": sp.csr_array((0, 5)),
    "no columns": sp.csr_array((5, 0)),
}


def magnitude(matrix: sp.csr_array) -> sp.csr_array:
    """|A|, for bounds of the round-off of a row sum."""
    return sp.csr_array((np.abs(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
