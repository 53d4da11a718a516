"""A Jacobian row by row: backward from each residual, many of them in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# Rows that one pass takes together.
_AT_ONCE = 128


def backward_rows(r: Tensor, parameters: Sequence[Tensor], rows: Tensor | None) -> Tensor:
    """Return dr/dw (m, p) at residuals r (m,) with their graph, or some of its rows.

    Examples
    --------
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> backward_rows(w**2, [w], None)
    tensor([[2., 0.],
            [0., 4.]])
    """
    wanted = torch.arange(len(r)) if rows is None else rows
    size = sum(p.numel() for p in parameters)
    found = r.new_zeros((len(wanted), size), requires_grad=False)
    first = 0
    with torch.enable_grad():
        for part in torch.split(wanted.to(r.device), _AT_ONCE):
            gradients = torch.autograd.grad(
                r[part], list(parameters), torch.eye(len(part)).to(r), retain_graph=True,
                is_grads_batched=True, allow_unused=True,
            )  # fmt: skip
            flat = [
                g.reshape(len(part), -1) if g is not None else r.new_zeros((len(part), p.numel()))
                for g, p in zip(gradients, parameters, strict=True)
            ]
            found[first : first + len(part)] = torch.cat(flat, dim=1).detach()
            first += len(part)
    return found
