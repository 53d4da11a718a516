"""Products along a space-filling curve, whatever the order of the nodes.

A stencil's nodes are neighbours in space. In somebody's own cloud they may be anywhere in memory,
and a product then waits for it: in random order more than twice as long at 20,000 nodes, three
times at 100,000. So the matrix is stored with its rows and columns along a Hilbert curve, and the
values are permuted on their way in and back on their way out, which leaves a gain of 1.8 and 2.
Nobody sees it: models, residuals and data keep the order of the nodes.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from dtpinn.arrays import Integers
from dtpinn.nodes import Nodes, hilbert_order, scattered
from dtpinn.sparse import CSR

# Nonzeros to each value that is permuted, from which on the curve pays. Measured in random order
# with equal rows, forward and backward: at 15 nonzeros a row (7 to each value) it does not, at 21
# it does. The few rows of a condition do not, where all of X~ would be permuted for them.
ENOUGH = 10


class CurveProduct(nn.Module):
    """A constant matrix A, stored along a curve: ``product(x)`` is A x, in the order of A and x.

    Three products with the same op: ``leave(along(enter(x)))``, so that derivatives of every order,
    vmap, compilation, ``.to()`` and ``state_dict`` are the op's. The permutations are matrices for
    that reason: a permutation costs an eighth of a product with 43 nonzeros a row. ``index_select``
    would cost half of that with one column, and more with several, where its backward pass adds up
    instead of reading. With the rows alone or the columns alone along the curve there is only one
    permutation, but one of the two passes still reads at random, and half of the gain is lost.

    Parameters
    ----------
    matrix : (rows, columns) csr_array
        A.
    row_nodes : (rows,) int array
        The column that each row belongs near to: the node at which it is evaluated.
    order : (columns,) int array
        The columns along the curve.
    dtype : torch.dtype

    Attributes
    ----------
    enter, along, leave : CSR
        The permutation of x, the matrix along the curve, and the permutation back.

    Examples
    --------
    >>> A = csr_array(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]))
    >>> product = CurveProduct(A, np.array([0, 1]), np.array([1, 2, 0]), torch.float64)
    >>> product(torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64))
    tensor([201.,  30.], dtype=torch.float64)
    >>> product.along.to_scipy().toarray()
    array([[3., 0., 0.],
           [0., 2., 1.]])
    """

    def __init__(
        self,
        matrix: csr_array,
        row_nodes: NDArray[np.integer],
        order: NDArray[np.integer],
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        position = _inverse(order)
        # All rows of one node together, whichever operators and regions they belong to.
        rows = np.argsort(position[row_nodes], kind="stable")
        renumbered = csr_array(
            (matrix.data, position[matrix.indices], matrix.indptr), shape=matrix.shape
        )
        along = csr_array(renumbered[rows])
        along.sort_indices()
        self.enter = _permutation(order, dtype)
        self.along = CSR.from_scipy(along).to(dtype)
        self.leave = _permutation(_inverse(rows), dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return A x: x is (columns,) or (columns, k), the result (rows,) or (rows, k)."""
        y: Tensor = self.leave(self.along(self.enter(x)))
        return y

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.along.shape

    @property
    def nnz(self) -> int:
        """Number of stored entries of A."""
        return self.along.nnz


Product = CSR | CurveProduct


def curve_through(nodes: Nodes) -> Integers | None:
    """Return X~ in the order in which products should run, or None where theirs is good enough.

    The curve visits interior, boundary and ghost nodes together, as stencils do.

    Examples
    --------
    >>> import dtpinn
    >>> curve_through(dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)) is None
    True
    """
    if scattered(nodes.interior, nodes.boundary, nodes.ghost):
        return hilbert_order(nodes.extended)
    return None


def make_product(
    matrix: csr_array,
    row_nodes: NDArray[np.integer],
    order: NDArray[np.integer] | None,
    dtype: torch.dtype,
) -> Product:
    """Return the matrix to multiply with, stored along the curve if there is one and it pays."""
    if order is None or matrix.nnz < ENOUGH * sum(matrix.shape):
        return CSR.from_scipy(matrix).to(dtype)
    return CurveProduct(matrix, row_nodes, order, dtype)


def _permutation(order: NDArray[np.integer], dtype: torch.dtype) -> CSR:
    """The matrix P with P x = x[order]."""
    count = len(order)
    ones = torch.ones(count, dtype=dtype)
    return CSR(torch.arange(count + 1), torch.tensor(order), ones, (count, count))


def _inverse(order: NDArray[np.integer]) -> Integers:
    """Return where each element went: ``inverse[order[i]] = i``."""
    inverse = np.empty(len(order), dtype=np.int64)
    inverse[order] = np.arange(len(order))
    return inverse
