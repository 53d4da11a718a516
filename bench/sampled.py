"""The sampled product in plain NumPy: what the gradient of A x in the entries of A has to be."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dtpinn.sparse import CSR


def sampled(matrix: CSR, y: Tensor, x: Tensor) -> Tensor:
    """Entries of y x' where the matrix stores one: g_e = sum_k y[row(e), k] x[col(e), k].

    For ``loss(A @ x)`` and y (rows,) or (rows, k) the gradient of the loss in ``A @ x``, this is
    its gradient in ``A.values``: (nnz,), in their order, on the CPU and cut off from any graph. It
    gathers two arrays of nnz k numbers: a check, not a way to compute.
    """
    crow, col, y_, x_ = (t.detach().cpu().numpy() for t in (matrix.crow, matrix.col, y, x))
    products = y_[np.repeat(np.arange(matrix.shape[0]), np.diff(crow))] * x_[col]
    return torch.from_numpy(products if products.ndim == 1 else products.sum(axis=1))
