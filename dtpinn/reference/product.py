"""What the reference backends share: a product and its transpose, made differentiable.

The paper (appendix, code listings) writes one ``autograd.Function`` per operator, because each of
them reads its transpose from a global. Here a single Function serves every operator: the two
products come in with the operand, so neither can meet the transpose of another matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dtpinn.sparse import CSR

Multiply = Callable[[Tensor], Tensor]


class _Linear(torch.autograd.Function):
    """x -> A x, whose derivative is the transposed product."""

    # With the context in forward(): for a setup_context() of its own torch looks up the signature
    # in every call, which takes longer than a small product.
    @staticmethod
    def forward(ctx: Any, x: Tensor, multiply: Multiply, transposed: Multiply) -> Tensor:
        ctx.multiply, ctx.transposed = multiply, transposed
        return multiply(x.detach())  # DLPack exports nothing that requires a gradient

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        # Applied, not just called: the gradient is then differentiable in its turn. The paper's
        # backward leaves torch for good, so a second derivative is lost there without a word.
        return _apply(gradients[0], ctx.transposed, ctx.multiply), None, None


def _apply(x: Tensor, multiply: Multiply, transposed: Multiply) -> Tensor:
    y: Tensor = _Linear.apply(x, multiply, transposed)  # type: ignore[no-untyped-call]
    return y


class Product:
    """A matrix known by its two products, A x and A' y; differentiable in x to any order.

    The matrix is a constant: gradients reach the operand only.

    Parameters
    ----------
    multiply, transposed : callable
        ``multiply(x)`` is A x for x of (columns,) or (columns, k), ``transposed(y)`` is A' y for y
        of (rows,) or (rows, k). Their operands have been checked and detached; they may leave
        torch.
    shape : (rows, columns)
    dtype : torch.dtype
    device : torch.device
        Of the operands and the results.
    """

    def __init__(
        self,
        multiply: Multiply,
        transposed: Multiply,
        shape: tuple[int, int],
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._multiply = multiply
        self._transposed = transposed
        self.shape = shape
        self.dtype = dtype
        self.device = device

    def __call__(self, x: Tensor) -> Tensor:
        """``P(x)``: x is (columns,) or (columns, k), the result (rows,) or (rows, k).

        Raises
        ------
        TypeError, ValueError
            For anything else: not a tensor, another dtype, device or length.
        """
        self._check(x)
        return _apply(x, self._multiply, self._transposed)

    def __matmul__(self, x: Tensor) -> Tensor:
        """``P @ x``, the same."""
        return self(x)

    @property
    def T(self) -> Product:
        """The transposed product: nothing is computed, the two change places."""
        return Product(self._transposed, self._multiply, self.shape[::-1], self.dtype, self.device)

    def _check(self, x: Tensor) -> None:
        who = f"{type(self).__name__} of shape {self.shape}"
        if not isinstance(x, Tensor):
            raise TypeError(
                f"{who}: expected a torch tensor to multiply with, got {type(x).__name__}; "
                "use torch.as_tensor"
            )
        if x.dtype != self.dtype:
            raise TypeError(f"{who}: expected {self.dtype}, got {x.dtype}; convert x with x.to")
        if x.device != self.device:
            raise ValueError(f"{who}: expected x on {self.device}, got it on {x.device}; move it")
        columns = self.shape[1]
        if x.dim() not in (1, 2) or x.shape[0] != columns:
            raise ValueError(
                f"{who}: expected x of shape ({columns},) or ({columns}, k), got {tuple(x.shape)}; "
                "the transposed product is P.T(x)"
            )

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(shape={self.shape}, dtype={self.dtype}, device={self.device})"


def checked_matrix(matrix: CSR, who: str) -> CSR:
    """Return the matrix if it is a CSR.

    Raises
    ------
    TypeError
        If it is not; the message names `who` asked.
    """
    if not isinstance(matrix, CSR):
        raise TypeError(
            f"{who}: expected a dtpinn.CSR, got {type(matrix).__name__}; use CSR.from_scipy or "
            "CSR.from_torch"
        )
    return matrix
