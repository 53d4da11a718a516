"""The sparse product by SciPy, on the CPU."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from dtpinn.reference.product import Product, checked_matrix
from dtpinn.sparse import CSR


class SciPyProduct(Product):
    """A x by ``scipy.sparse``: the oracle, on every machine and for every matrix.

    The entries are copied from the CSR as they are now, repeated and unsorted ones included; the
    transpose is built once, here. Operands and results are shared between torch and NumPy.

    Parameters
    ----------
    matrix : CSR
        On any device; the operands are on the CPU.

    Raises
    ------
    TypeError
        If it is anything but a CSR.

    Examples
    --------
    >>> import torch
    >>> A = CSR(torch.tensor([0, 1, 3]), torch.tensor([1, 0, 2]),
    ...         torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), (2, 3))
    >>> P = SciPyProduct(A)
    >>> x = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64, requires_grad=True)
    >>> P(x).sum().backward()
    >>> P(x).tolist(), x.grad.tolist()
    ([10.0, 302.0], [2.0, 1.0, 3.0])
    >>> P.T @ torch.ones(2, dtype=torch.float64)
    tensor([2., 1., 3.], dtype=torch.float64)
    """

    def __init__(self, matrix: CSR) -> None:
        rows = checked_matrix(matrix, "SciPyProduct").to_scipy()
        super().__init__(
            partial(_multiply, rows),
            # In CSR form: a product with the transposed view would scatter instead of gather.
            partial(_multiply, rows.T.tocsr()),
            matrix.shape,
            matrix.dtype,
            torch.device("cpu"),
        )


def _multiply(matrix: Any, x: Tensor) -> Tensor:
    """Multiply a ``csr_array`` with a tensor; both libraries see the same memory."""
    return torch.from_numpy(matrix @ x.numpy())
