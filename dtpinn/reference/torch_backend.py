"""The sparse product by torch.sparse, on the CPU or a GPU."""

from __future__ import annotations

from functools import partial

import torch

from dtpinn.reference.product import Product, checked_matrix
from dtpinn.sparse import CSR


class TorchProduct(Product):
    """A x by ``torch.sparse``, with int32 indices and a stored transpose: a careful user's product.

    Left to itself torch sorts the matrix anew in every backward pass, and one loses tens of times
    the cost of a product. Here the backward pass is one product too.

    Parameters
    ----------
    matrix : CSR
        Its entries are copied as they are now; operands are on its device.

    Raises
    ------
    TypeError
        If it is anything but a CSR.

    Examples
    --------
    >>> A = CSR(torch.tensor([0, 1, 3]), torch.tensor([1, 0, 2]),
    ...         torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), (2, 3))
    >>> P = TorchProduct(A)
    >>> x = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64, requires_grad=True)
    >>> P(x).sum().backward()
    >>> P(x).tolist(), x.grad.tolist()
    ([10.0, 302.0], [2.0, 1.0, 3.0])
    """

    def __init__(self, matrix: CSR) -> None:
        transpose = CSR.from_scipy(checked_matrix(matrix, "TorchProduct").to_scipy().T.tocsr())
        super().__init__(
            partial(torch.matmul, matrix.to_torch()),
            partial(torch.matmul, transpose.to(matrix.device).to_torch()),
            matrix.shape,
            matrix.dtype,
            matrix.device,
        )
