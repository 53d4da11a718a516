"""The transpose of a CSR, as something to multiply with, and products from the left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from dtpinn.sparse.csr import CSR


def from_the_left(product: Callable[[Any, bool], Tensor], x: Any, transpose: bool) -> Tensor:
    """``x A`` as ``(A' x')'``, where `product` multiplies with A or, if told to, with A'."""
    if not isinstance(x, Tensor) or x.dim() < 2:
        return product(x, transpose)
    return product(x.mT, transpose).mT.contiguous()


def _turned(scale: Any) -> Any:
    """Return a scale of the transpose as one of the matrix."""
    if not isinstance(scale, Tensor) or scale.dim() == 0:
        return scale
    return (scale[None] if scale.dim() == 1 else scale).mT


class CSRTranspose:
    """The transpose of a CSR: owns no tensors, multiplies with what its parent stores."""

    __slots__ = ("T",)
    __array_ufunc__ = None

    def __init__(self, parent: CSR) -> None:
        self.T = parent

    def __matmul__(self, y: Tensor) -> Tensor:
        """``A.T @ y``: (rows,) -> (columns,), (..., rows, k) -> (..., columns, k)."""
        return self.T._product(y, True)

    __call__ = __matmul__

    def __rmatmul__(self, x: Tensor) -> Tensor:
        """``x @ A.T``: (columns,) -> (rows,), (..., k, columns) -> (..., k, rows)."""
        return from_the_left(self.T._product, x, False)

    def __mul__(self, scale: Any) -> CSRTranspose:
        """``A.T * s``, entry by entry, as for ``A * s``."""
        scaled: CSR = self.T * _turned(scale)
        return scaled.T

    __rmul__ = __mul__

    def __truediv__(self, scale: Any) -> CSRTranspose:
        """``A.T / s``, entry by entry, as for ``A * s``."""
        scaled: CSR = self.T / _turned(scale)
        return scaled.T

    def __neg__(self) -> CSRTranspose:
        """``-A.T``."""
        return (-self.T).T

    @property
    def shape(self) -> tuple[int, int]:
        """(columns, rows) of the parent."""
        rows, columns = self.T.shape
        return columns, rows

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return self.T.nnz

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.T.dtype

    @property
    def device(self) -> torch.device:
        """Where the parent's tensors are."""
        return self.T.device

    def to_scipy(self) -> csr_array:
        """A copy as a ``scipy.sparse.csr_array``."""
        return self.T.to_scipy().T.tocsr()

    def to_dense(self) -> Tensor:
        """A copy as a dense tensor."""
        return self.T.to_dense().mT.contiguous()

    def __repr__(self) -> str:
        return f"CSRTranspose(shape={self.shape}, nnz={self.nnz}, dtype={self.dtype})"
