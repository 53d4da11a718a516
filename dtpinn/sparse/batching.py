"""The operators under ``torch.vmap``.

A batch of operands is one product with more columns. A batch of values is as many matrices: one
product each. The rules call the operators themselves, so that whatever lies outside the vmap
(another one, a derivative) sees the call.

In Python, through torch's public registration: the headers that tell a C++ rule at which level it
runs include a library that torch does not ship.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Dims = tuple[int | None, ...]


def _product(
    info: Any, dims: Dims, crow: Tensor, col: Tensor, values: Tensor, crow_t: Tensor,
    col_t: Tensor, values_t: Tensor | None, perm: Tensor, x: Tensor, transpose: bool = False,
) -> tuple[Tensor, int | None]:  # fmt: skip
    op = torch.ops.dtpinn.csr_product
    in_crow, in_col, in_values, in_crow_t, in_col_t, in_values_t, in_perm, in_x = dims[:8]
    _refuse_batched_structure("csr_product", in_crow, in_col, in_crow_t, in_col_t, in_perm)
    if in_values is not None:

        def one(values: Tensor, x: Tensor) -> Tensor:
            y: Tensor = op(crow, col, values, crow_t, col_t, None, perm, x, transpose)
            return y

        return _each(info, one, (values, in_values), (x, in_x)), 0
    mirror = values_t if in_values_t is None else None
    structure = (crow, col, values, crow_t, col_t, mirror, perm)
    if in_x is None:
        return op(*structure, x, transpose), None
    if x.dim() == 2:  # vectors become columns
        return op(*structure, x.movedim(in_x, 1), transpose), 1
    return op(*structure, x.movedim(in_x, 0), transpose), 0


def _sampled(
    info: Any, dims: Dims, crow: Tensor, col: Tensor, crow_t: Tensor, col_t: Tensor,
    perm: Tensor, y: Tensor, x: Tensor,
) -> tuple[Tensor, int]:  # fmt: skip
    *in_structure, in_y, in_x = dims
    _refuse_batched_structure("csr_sampled", *in_structure)

    def one(y: Tensor, x: Tensor) -> Tensor:
        v: Tensor = torch.ops.dtpinn.csr_sampled(crow, col, crow_t, col_t, perm, y, x)
        return v

    return _each(info, one, (y, in_y), (x, in_x)), 0


def _each(info: Any, one: Callable[..., Tensor], *operands: tuple[Tensor, int | None]) -> Tensor:
    """Call `one` for each member of the batch and stack the results."""
    members = [[t] * info.batch_size if dim is None else t.unbind(dim) for t, dim in operands]
    return torch.stack([one(*each) for each in zip(*members, strict=True)])


def _refuse_batched_structure(op: str, *dims: int | None) -> None:
    if any(dim is not None for dim in dims):
        raise ValueError(
            f"{op}: vmap over the indices of a matrix is not possible, as each member of the batch "
            "would have a structure of its own; vmap over the values or the operand"
        )


def register() -> None:
    """Tell torch. Once, when the extension is loaded."""
    torch.library.register_vmap("dtpinn::csr_product", _product)
    torch.library.register_vmap("dtpinn::csr_sampled", _sampled)
