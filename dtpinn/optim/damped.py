"""The damped normal equations of a Jacobian, from whichever of its two Gram matrices is smaller."""

from __future__ import annotations

import torch
from torch import Tensor

# A Gram matrix of more columns is cut in two, one of fewer formed by panels of so many columns.
_HALVED, _PANEL = 300, 64


class DampedEquations:
    """Solves ``min |A v + r|^2 + damping |v|^2`` for several r with one factorisation.

    With at least as many rows as columns, ``v = -(A'A + damping I)^-1 A' r``. With fewer, the same
    v is ``-A' (A A' + damping I)^-1 r``. Both by Cholesky, in float64.

    Parameters
    ----------
    A : Tensor (m, p)

    Examples
    --------
    >>> A = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    >>> equations = DampedEquations(A)
    >>> equations.factorise(1.0)
    True
    >>> equations.solve(torch.tensor([5.0, 2.0, 7.0], dtype=torch.float64)).round(decimals=9)
    tensor([-2., -1.], dtype=torch.float64)
    """

    def __init__(self, A: Tensor) -> None:
        # Gram matrices square the condition number: nothing of it is left in float32.
        self.A = A.double()
        self._tall = A.shape[0] >= A.shape[1]
        self._gram = _lower_gram(self.A if self._tall else self.A.T)
        self._factor = torch.empty_like(self._gram)
        self._info = torch.empty((), dtype=torch.int32, device=A.device)

    @property
    def mean_square(self) -> float:
        """|A|_F^2 / p, the mean eigenvalue of A'A: the size of a damping that matters."""
        return float(self._gram.trace()) / self.A.shape[1]

    def gradient(self, r: Tensor) -> Tensor:
        """Return A' r (p,), half the gradient of |r + A v|^2 at v = 0."""
        return self.A.T @ r.double()

    def factorise(self, damping: float) -> bool:
        """Factorise with this damping; whether the matrix was positive definite."""
        self._damping = damping
        self._factor.copy_(self._gram)
        self._factor.diagonal().add_(damping)
        torch.linalg.cholesky_ex(self._factor, out=(self._factor, self._info))
        return int(self._info) == 0

    def solve(self, r: Tensor, gradient: Tensor | None = None) -> Tensor:
        """Return v (p,) for r (m,); with its `gradient`, if it is known."""
        if self._tall:
            gradient = self.gradient(r) if gradient is None else gradient
            return self._inverse_times(gradient).neg_()
        return self.gradient(self._inverse_times(r.double())).neg_()

    def descent(self, gradient: Tensor) -> Tensor:
        """Return ``-(A'A + damping I)^-1 gradient`` for a gradient (p,) that need not be A' r."""
        if self._tall:
            return self._inverse_times(gradient).neg_()
        inside = self.A.T @ self._inverse_times(self.A @ gradient)
        return (inside - gradient) / self._damping

    def _inverse_times(self, b: Tensor) -> Tensor:
        """The inverse of what was factorised, times a vector."""
        half = torch.linalg.solve_triangular(self._factor, b[:, None], upper=False)
        x: Tensor = torch.linalg.solve_triangular(self._factor.T, half, upper=True)
        return x[:, 0]


def _lower_gram(A: Tensor) -> Tensor:
    """A'A, its lower triangle, which is all that Cholesky reads: little more than half the work.

    Stored by columns, as LAPACK takes it: a copy is factorised in its place.
    """
    gram = A.new_zeros(A.shape[1], A.shape[1]).T
    _fill_lower(A, gram)
    return gram


def _fill_lower(A: Tensor, gram: Tensor) -> None:
    """By halves, whose large products are the fastest, and at last by panels, which save most."""
    size = A.shape[1]
    if size > _HALVED:
        half = size // 2
        torch.mm(A[:, half:].T, A[:, :half], out=gram[half:, :half])
        _fill_lower(A[:, :half], gram[:half, :half])
        _fill_lower(A[:, half:], gram[half:, half:])
        return
    for first in range(0, size, _PANEL):
        last = min(first + _PANEL, size)
        torch.mm(A[:, first:].T, A[:, first:last], out=gram[first:, first:last])
