"""The product of a stored matrix, or of its transpose, with a tensor on either side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dtpinn.sparse.conversion import check_real
from dtpinn.sparse.extension import multiply as _multiply
from dtpinn.sparse.stored import StoredCSR


def from_the_left(product: Callable[[Any, bool], Tensor], x: Any, transpose: bool) -> Tensor:
    """``x A`` as ``(A' x')'``, where `product` multiplies with A or, if told to, with A'."""
    if not isinstance(x, Tensor) or x.dim() < 2:
        return product(x, transpose)
    return product(x.mT, transpose).mT.contiguous()


class MultiplyingCSR(StoredCSR):
    """A stored matrix that multiplies; see ``CSR`` for its use."""

    takes = ""
    """What its operands are, told with the error where one has another shape."""

    def _product(self, x: Any, transpose: bool) -> Tensor:
        if torch.compiler.is_compiling():
            return self._dispatch(x, transpose)
        try:
            y: Tensor = _multiply(
                self._buffers, self._parameters, self.__dict__["_mirrored"], x, transpose
            )
            return self._dispatch(x, transpose) if y is NotImplemented else y
        except TypeError:
            check_real(x)
            raise
        except ValueError as error:
            if self.takes:
                raise ValueError(f"{error}: {self.takes}") from None
            raise

    def _dispatch(self, x: Any, transpose: bool) -> Tensor:
        """Call the operator through ``torch.ops``, where compilers and modes can see it."""
        if not hasattr(x, "__torch_function__"):
            is_matrix = isinstance(x, StoredCSR)
            hint = "multiply one after the other" if is_matrix else "use torch.as_tensor"
            raise TypeError(
                f"CSR: expected a torch tensor to multiply with, got {type(x).__name__}; {hint}"
            )
        b, values = self._buffers, self.values
        y: Tensor = torch.ops.dtpinn.csr_product(
            b["crow"], b["col"], values, b["crow_t"], b["col_t"], self._values_t(values),
            b["perm"], x, transpose,
        )  # fmt: skip
        return y

    def __matmul__(self, x: Tensor) -> Tensor:
        """``A @ x``: (columns,) -> (rows,), (..., columns, k) -> (..., rows, k)."""
        return self._product(x, False)

    def __rmatmul__(self, x: Tensor) -> Tensor:
        """``x @ A``: (rows,) -> (columns,), (..., k, rows) -> (..., k, columns)."""
        return from_the_left(self._product, x, True)

    def forward(self, x: Tensor) -> Tensor:
        """``A(x)``, the same product; use this form in code that is compiled or exported."""
        return self._product(x, False)
