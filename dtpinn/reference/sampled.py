"""The sampled product: the gradient of A x in the entries of A, in plain NumPy."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dtpinn.reference.product import checked_matrix
from dtpinn.sparse import CSR


def sampled(matrix: CSR, y: Tensor, x: Tensor) -> Tensor:
    """Entries of y x' where the matrix stores one: g_e = sum_k y[row(e), k] x[col(e), k].

    For ``loss(A @ x)`` and y the gradient of the loss in ``A @ x``, this is its gradient in
    ``A.values``.

    Parameters
    ----------
    matrix : CSR
        Only its structure is used.
    y : Tensor, (rows,) or (rows, k)
    x : Tensor, (columns,) or (columns, k)

    Returns
    -------
    Tensor, (nnz,)
        In the order of ``matrix.values``, on the CPU, cut off from any graph.

    Raises
    ------
    TypeError, ValueError
        For anything but a CSR; for shapes that do not fit it or each other.

    Notes
    -----
    It gathers two arrays of nnz k numbers: a check, not a way to compute.

    Examples
    --------
    >>> import torch
    >>> A = CSR(torch.tensor([0, 1, 3]), torch.tensor([1, 0, 2]), torch.ones(3), (2, 3))
    >>> sampled(A, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0, 100.0])).tolist()
    [10.0, 2.0, 200.0]
    """
    rows, columns = checked_matrix(matrix, "sampled").shape
    k = tuple(x.shape[1:])
    if len(k) > 1 or tuple(x.shape) != (columns, *k) or tuple(y.shape) != (rows, *k):
        raise ValueError(
            f"sampled: expected y of shape ({rows},) and x of shape ({columns},) for a matrix of "
            f"shape {matrix.shape}, or both with k columns; got {tuple(y.shape)} and "
            f"{tuple(x.shape)}; y belongs to the rows, x to the columns"
        )
    crow, col, y_, x_ = (t.detach().cpu().numpy() for t in (matrix.crow, matrix.col, y, x))
    row = np.repeat(np.arange(rows), np.diff(crow))
    products = y_[row] * x_[col]
    return torch.from_numpy(products if products.ndim == 1 else products.sum(axis=1))
