"""The damped normal equations of a Jacobian, from whichever of its two Gram matrices is smaller."""

from __future__ import annotations

import torch
from torch import Tensor

# Columns of a Gram matrix that are formed at a time.
_BLOCK = 128


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

    @property
    def mean_square(self) -> float:
        """|A|_F^2 / p, the mean eigenvalue of A'A: the size of a damping that matters."""
        return float(self._gram.trace()) / self.A.shape[1]

    def factorise(self, damping: float) -> bool:
        """Factorise with this damping; whether the matrix was positive definite."""
        damped = self._gram.clone()
        damped.diagonal().add_(damping)
        self._factor, info = torch.linalg.cholesky_ex(damped)
        return int(info) == 0

    def solve(self, r: Tensor) -> Tensor:
        """Return v (p,) for r (m,)."""
        r = r.double()[:, None]
        if self._tall:
            return torch.cholesky_solve(self.A.T @ r, self._factor)[:, 0].neg()
        return (self.A.T @ torch.cholesky_solve(r, self._factor))[:, 0].neg()


def _lower_gram(A: Tensor) -> Tensor:
    """A'A, its lower triangle only, which is all that Cholesky reads: nearly half of the work."""
    size = A.shape[1]
    gram = A.new_zeros(size, size)
    for first in range(0, size, _BLOCK):
        last = min(first + _BLOCK, size)
        torch.mm(A[:, first:].T, A[:, first:last], out=gram[first:, first:last])
    return gram
