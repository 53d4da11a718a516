"""The transpose of a CSR, as something to multiply with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from dtpinn.sparse.csr import CSR


class CSRTranspose:
    """The transpose of a CSR: owns no tensors, multiplies with what its parent stores."""

    __slots__ = ("T",)

    def __init__(self, parent: CSR) -> None:
        self.T = parent

    def __matmul__(self, y: Tensor) -> Tensor:
        """``A.T @ y``: y is (rows,) or (rows, k), the result (columns,) or (columns, k)."""
        return self.T._product(y, True)

    __call__ = __matmul__

    @property
    def shape(self) -> tuple[int, int]:
        """(columns, rows) of the parent."""
        rows, columns = self.T.shape
        return columns, rows

    def __repr__(self) -> str:
        return f"CSRTranspose(shape={self.shape}, nnz={self.T.nnz})"
