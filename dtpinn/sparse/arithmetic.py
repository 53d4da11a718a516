"""The entries of a matrix multiplied or divided, one by one, as those of a dense matrix are.

They stay what they were to autograd: gradients flow to learnt entries, and to a scale.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from dtpinn.sparse.stored import StoredCSR


def scaled_values(matrix: StoredCSR, operation: Callable[..., Tensor], scale: Any) -> Tensor:
    """Return the values of ``operation(matrix, scale)``, without a dense temporary.

    `operation` is ``torch.mul`` or ``torch.true_divide``, `scale` a number or a tensor that
    broadcasts to the matrix's shape.
    """
    if isinstance(scale, Real):
        return operation(matrix.values, float(scale))
    if isinstance(scale, complex) or (isinstance(scale, Tensor) and scale.is_complex()):
        raise TypeError(
            f"CSR: a matrix is of real numbers, and the scale {scale!r} is complex; make two "
            "matrices, scaled with its real and with its imaginary part"
        )
    if not isinstance(scale, Tensor):
        raise TypeError(
            f"CSR: expected a number or a torch tensor to scale with, got {type(scale).__name__}; "
            "to multiply with two matrices, multiply with one after the other"
        )
    if scale.dim() == 0:
        return operation(matrix.values, scale)
    try:
        everywhere = scale.expand(matrix.shape)
    except RuntimeError:
        raise ValueError(
            f"CSR: a scale of shape {tuple(scale.shape)} does not broadcast to the matrix's "
            f"{matrix.shape}; use (rows, 1) to scale rows, (columns,) to scale columns"
        ) from None
    return operation(matrix.values, everywhere[row_of_each_entry(matrix), matrix.col.long()])


def row_of_each_entry(matrix: StoredCSR) -> Tensor:
    """Return the row (nnz,) int64 that each stored entry lies in."""
    crow = matrix.crow.long()
    rows = torch.arange(matrix.shape[0], device=crow.device)
    return rows.repeat_interleave(crow.diff(), output_size=matrix.nnz)
