"""The structure of the transpose: by counting on the CPU, by sorting wherever else torch sorts.

The second is what a GPU runs. It is made of torch's own operations, so it runs here as well.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch._C import DispatchKey

import dtpinn
from tests.sparse.matrices import MATRICES

OP = torch.ops.dtpinn.csr_transpose.default


def by_sorting(crow, col, columns):
    return OP._op_dk(DispatchKey.CompositeExplicitAutograd, crow, col, columns)


def structure(matrix, dtype):
    return (torch.as_tensor(part).to(dtype) for part in (matrix.indptr, matrix.indices))


@pytest.mark.parametrize("way", [OP, by_sorting])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("name", MATRICES)
def test_is_scipys_transpose_with_the_entries_in_stable_order(name, dtype, way):
    matrix = MATRICES[name]
    crow_t, col_t, perm = way(*structure(matrix, dtype), matrix.shape[1])
    assert crow_t.dtype == col_t.dtype == perm.dtype == dtype
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.argsort(matrix.indices, kind="stable")
    assert np.array_equal(perm, order)
    assert np.array_equal(col_t, rows[order])
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    assert np.array_equal(crow_t, np.concatenate([[0], np.cumsum(counts)]))


@pytest.mark.parametrize(
    ("crow", "col", "culprit"),
    [
        ([1, 2], [0, 0], r"crow\[0\] = 1"),
        ([0, 2, 1, 3], [0, 1, 2], r"crow\[1\] = 2 > crow\[2\] = 1"),
        ([0, 1], [0, 1], r"crow\[1\] = 1"),
        ([0, 3], [0, 1], r"crow\[1\] = 3"),
        ([0, 1, 2], [0, 3], r"col\[1\] = 3"),
        ([0, 1, 2], [-1, 0], r"col\[0\] = -1"),
        ([0, -(2**31), 2], [1, 0], "crow"),
    ],
)
@pytest.mark.parametrize("way", [OP, by_sorting])
def test_a_bad_integer_is_named(way, crow, col, culprit):
    with pytest.raises(ValueError, match=culprit):
        way(torch.tensor(crow, dtype=torch.int32), torch.tensor(col, dtype=torch.int32), 3)


@pytest.mark.parametrize("way", [OP, by_sorting])
def test_sizes_and_types_are_checked_first(way):
    crow, col = torch.tensor([0, 1]), torch.tensor([0])
    with pytest.raises(TypeError, match="both be int32 or both int64"):
        way(crow, col.int(), 3)
    with pytest.raises(ValueError, match="shapes"):
        way(crow[:0], col, 3)
    with pytest.raises(ValueError, match="need int64 indices"):
        way(crow.int(), col.int(), 2**31 - 1)


def test_of_the_transpose_is_the_matrix_again():
    matrix = sp.random_array((300, 200), density=0.05, rng=7, format="csr")
    A = dtpinn.CSR.from_scipy(matrix)
    b = A._buffers
    crow, col, back = by_sorting(b["crow_t"], b["col_t"], 300)
    assert torch.equal(crow, b["crow"])
    assert torch.equal(col, b["col"])
    assert torch.equal(b["perm"][back], torch.arange(A.nnz, dtype=back.dtype))
