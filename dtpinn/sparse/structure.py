"""The check that every matrix passes, and the structure of its transpose."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

_INT32_MAX = 2**31 - 1
_INT64_MAX = 2**63 - 1


class Structure(NamedTuple):
    """Integers of a CSR matrix and of its transpose, all of one dtype on one device."""

    crow: Tensor  # (rows + 1,)
    col: Tensor  # (nnz,)
    crow_t: Tensor  # (columns + 1,)
    col_t: Tensor  # (nnz,)
    perm: Tensor  # (nnz,) entry e of the transpose is entry perm[e] of the matrix


def checked_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Two sizes, neither negative nor past what 64-bit row pointers can count."""
    try:
        rows, columns = (operator.index(size) for size in shape)
    except (TypeError, ValueError):
        raise TypeError(f"CSR: shape must be two integers (rows, columns), got {shape!r}") from None
    if min(rows, columns) < 0:
        raise ValueError(f"CSR: shape must be two sizes (rows, columns) >= 0, got {tuple(shape)}")
    if max(rows, columns) >= _INT64_MAX:
        raise ValueError(f"CSR: shape must be two sizes below 2**63 - 1, got {tuple(shape)}")
    return rows, columns


def checked_values(values: Tensor, col: Tensor) -> Tensor:
    """One float64 or float32 number per stored entry, where the indices are."""
    if not isinstance(values, Tensor):
        raise TypeError(
            f"CSR: values must be a torch tensor, got {type(values).__name__}; "
            "use torch.as_tensor, or CSR.from_scipy for a SciPy matrix"
        )
    if values.layout != torch.strided:
        raise TypeError(f"CSR: values must be a dense tensor, got layout {values.layout}")
    if values.dtype not in (torch.float64, torch.float32):
        remedy = "convert them with .to(torch.float64)"
        if values.is_complex():
            remedy = "make two matrices, with values.real and with values.imag"
        raise TypeError(f"CSR: values must be float64 or float32, got {values.dtype}; {remedy}")
    if values.shape != col.shape:
        raise ValueError(
            f"CSR: values must hold one number per entry of col {tuple(col.shape)}, "
            f"got shape {tuple(values.shape)}"
        )
    if values.device != col.device:
        raise ValueError(
            f"CSR: values is on {values.device} and the indices on {col.device}; move one"
        )
    if values.is_inference():  # such a tensor can never be saved for a backward pass
        learnt = isinstance(values, nn.Parameter)
        return nn.Parameter(values.clone(), values.requires_grad) if learnt else values.clone()
    return values


def checked_structure(crow: Tensor, col: Tensor, shape: tuple[int, int]) -> Structure:
    """Check every index once and build the transpose, where they are, in O(rows + columns + nnz).

    Indices are stored as int32 where the sizes allow it: half the memory traffic of int64.

    Raises
    ------
    TypeError
        An index array is not an int32 or int64 tensor.
    ValueError
        A wrong length, a decreasing row pointer, or a column out of range; the message names it.
    """
    for name, index in (("crow", crow), ("col", col)):
        if not isinstance(index, Tensor) or index.dtype not in (torch.int32, torch.int64):
            got = index.dtype if isinstance(index, Tensor) else type(index).__name__
            raise TypeError(f"CSR: {name} must be an int32 or int64 torch tensor, got {got}")
        if index.layout != torch.strided:
            raise TypeError(f"CSR: {name} must be a dense tensor, got layout {index.layout}")
        if index.dim() != 1:
            raise ValueError(f"CSR: {name} must be 1-D, got shape {tuple(index.shape)}")
    if crow.device != col.device:
        raise ValueError(f"CSR: crow is on {crow.device} and col on {col.device}; move one")
    rows, columns = checked_shape(shape)  # again: it may come from a file
    if crow.numel() != rows + 1:
        raise ValueError(
            f"CSR: crow must hold rows + 1 = {rows + 1} entries for shape {shape}, "
            f"got {crow.numel()}"
        )
    # Checked with the integers as they came: narrowing first could wrap a bad one into range.
    wide_crow, wide_col = crow.long(), col.long()
    crow_t, col_t, perm = torch.ops.dtpinn.csr_transpose(wide_crow, wide_col, columns)
    fits = max(rows, columns, col.numel()) < _INT32_MAX
    dtype = torch.int32 if fits else torch.int64
    parts = (wide_crow, wide_col, crow_t, col_t, perm)
    # copy=True: a matrix owns its indices, so nobody can move them after the check.
    return Structure(*(part.to(dtype, copy=True) for part in parts))
