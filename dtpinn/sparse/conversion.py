"""To and from the sparse matrices of SciPy and torch.

SciPy is imported where it is used, so that the op alone loads none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dtpinn.sparse.stored import StoredCSR

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Parts = tuple[Tensor, Tensor, Tensor, tuple[int, int]]


def parts_of_scipy(matrix: Any) -> Parts:
    """Return crow, col, values and shape of a SciPy sparse matrix or array, copied."""
    from scipy.sparse import issparse

    if not issparse(matrix):
        raise TypeError(
            f"CSR.from_scipy: expected a SciPy sparse matrix, got {type(matrix).__name__}"
        )
    if np.iscomplexobj(matrix):
        raise TypeError(
            "CSR.from_scipy: complex matrices are not supported; make two, of matrix.real and "
            "matrix.imag"
        )
    rows = matrix.tocsr()
    data = rows.data if rows.data.dtype == np.float32 else rows.data.astype(np.float64)
    return (*(torch.tensor(array) for array in (rows.indptr, rows.indices, data)), rows.shape)


def parts_of_torch(matrix: Tensor) -> Parts:
    """Return crow, col, values and shape of a torch sparse tensor of layout CSR or COO."""
    if not isinstance(matrix, Tensor):
        raise TypeError(
            f"CSR.from_torch: expected a sparse torch tensor, got {type(matrix).__name__}"
        )
    if matrix.layout == torch.sparse_coo and matrix.dim() == 2:
        matrix = matrix.coalesce().to_sparse_csr()
    if matrix.layout != torch.sparse_csr or matrix.dim() != 2:
        raise TypeError(
            "CSR.from_torch: expected a 2-D sparse tensor of layout torch.sparse_csr or "
            f"torch.sparse_coo, got layout {matrix.layout} and shape {tuple(matrix.shape)}; "
            "call .to_sparse_csr() first"
        )
    rows, columns = matrix.shape
    values = _real(matrix.values().detach())
    return matrix.crow_indices(), matrix.col_indices(), values, (rows, columns)


def parts_of_dense(matrix: Tensor) -> Parts:
    """Return crow, col, values and shape of what is not zero in a dense 2-D tensor."""
    if not isinstance(matrix, Tensor) or matrix.layout != torch.strided or matrix.dim() != 2:
        got = tuple(matrix.shape) if isinstance(matrix, Tensor) else type(matrix).__name__
        raise TypeError(f"CSR.from_dense: expected a dense 2-D torch tensor, got {got}")
    matrix = matrix.detach()
    row, col = matrix.nonzero(as_tuple=True)
    crow = torch.zeros(matrix.shape[0] + 1, dtype=torch.int64, device=matrix.device)
    crow[1:] = row.bincount(minlength=matrix.shape[0]).cumsum(0)
    return crow, col, _real(matrix[row, col]), (matrix.shape[0], matrix.shape[1])


def _real(values: Tensor) -> Tensor:
    """float32 as it is, other real types as float64."""
    if values.is_complex():
        raise TypeError(
            f"CSR: complex matrices are not supported; got {values.dtype}. Make two, of its real "
            "and of its imaginary part"
        )
    return values if values.dtype == torch.float32 else values.to(torch.float64)


def check_real(x: object) -> None:
    """Raise TypeError for a complex operand: the product is of real numbers.

    Examples
    --------
    >>> from dtpinn import CSR
    >>> A, x = CSR.from_dense(torch.eye(2)), torch.tensor([1j, 2.0])
    >>> A @ x
    Traceback (most recent call last):
        ...
    TypeError: CSR: x is torch.complex64, and products are of real numbers; multiply both parts, \
torch.complex(A @ x.real, A @ x.imag)
    >>> torch.complex(A @ x.real, A @ x.imag)
    tensor([0.+1.j, 2.+0.j])
    """
    if isinstance(x, Tensor) and x.is_complex():
        raise TypeError(
            f"CSR: x is {x.dtype}, and products are of real numbers; multiply both parts, "
            "torch.complex(A @ x.real, A @ x.imag)"
        )


def to_scipy(matrix: StoredCSR) -> csr_array:
    """Return a copy as a ``scipy.sparse.csr_array``."""
    from scipy.sparse import csr_array

    parts = (matrix.values.detach(), matrix.col, matrix.crow)
    data, indices, indptr = (part.cpu().numpy().copy() for part in parts)
    return csr_array((data, indices, indptr), shape=matrix.shape)


def to_torch(matrix: StoredCSR) -> Tensor:
    """Return a copy as a ``torch.sparse_csr`` tensor."""
    tidy = to_scipy(matrix)
    tidy.sum_duplicates()
    arrays = (tidy.indptr, tidy.indices, tidy.data)
    crow, col, values = (torch.from_numpy(array).to(matrix.device) for array in arrays)
    return torch.sparse_csr_tensor(crow, col, values, matrix.shape, check_invariants=True)
