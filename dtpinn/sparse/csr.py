"""CSR: a constant sparse matrix as a torch module, and its transpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dtpinn.sparse import arithmetic, conversion
from dtpinn.sparse.product import MultiplyingCSR, from_the_left

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class CSR(MultiplyingCSR):
    """A sparse matrix in compressed-row form, to multiply with inside a model.

    The indices are checked once, here; the transpose is built once, in linear time, and stored,
    so that the backward pass is one product. It is a module, so it moves with its parent's
    ``.to()`` and is saved in its ``state_dict``, and ``A(x)`` compiles and exports. The entries
    are constants unless `values` requires a gradient, in which case they are learnt.
    The values may be changed in place at any time; the indices must not be, as products trust them.

    Parameters
    ----------
    crow : Tensor, (rows + 1,), int32 or int64
        First entry of each row.
    col : Tensor, (nnz,), int32 or int64
        Column of each entry, in any order within a row. Repeated entries add up.
    values : Tensor, (nnz,), float64 or float32
        The entries. An ``nn.Parameter`` stays the parameter it is; a tensor that requires a
        gradient is kept as it is; any other is copied.
    shape : (rows, columns)

    Raises
    ------
    TypeError, ValueError
        Wrong dtype, wrong length, decreasing row pointers or a column out of range, each with the
        offending number.

    Examples
    --------
    >>> import torch
    >>> A = CSR(torch.tensor([0, 1, 3]), torch.tensor([1, 0, 2]),
    ...         torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), (2, 3))
    >>> x = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64, requires_grad=True)
    >>> A @ x
    tensor([ 10., 302.], dtype=torch.float64, grad_fn=<CsrProductBackward>)
    >>> (A @ x).sum().backward()
    >>> x.grad
    tensor([2., 1., 3.], dtype=torch.float64)
    """

    __array_ufunc__ = None  # numpy scalars leave ``scale * A`` to this class

    # Python names the class whose signature a call does not fit: this one, which the user called.
    def __init__(self, crow: Tensor, col: Tensor, values: Tensor, shape: Sequence[int]) -> None:
        super().__init__(crow, col, values, shape)

    @property
    def T(self) -> CSRTranspose:
        """The transpose: a view that multiplies, at the price of the matrix itself."""
        return CSRTranspose(self)

    # -- new matrices from this one ---------------------------------------------------------

    def __mul__(self, scale: Any) -> CSR:
        """``A * s``, entry by entry: s is a number or a tensor that broadcasts to the shape.

        As for a dense matrix, a scale of shape (rows, 1) scales rows and one of shape (columns,)
        columns. Gradients flow to `s` and to learnt entries.
        """
        return self._with_values(arithmetic.scaled_values(self, torch.mul, scale))

    __rmul__ = __mul__

    def __truediv__(self, scale: Any) -> CSR:
        """``A / s``, entry by entry, as for ``A * s``."""
        return self._with_values(arithmetic.scaled_values(self, torch.true_divide, scale))

    def __neg__(self) -> CSR:
        """``-A``."""
        return self._with_values(-self.values)

    def scale_rows(self, scale: Tensor) -> CSR:
        """Multiply each row with its number: ``diag(scale) A``; scale is (rows,).

        Examples
        --------
        >>> A = CSR.from_dense(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
        >>> A.scale_rows(torch.tensor([10.0, 1.0])).to_dense()
        tensor([[10.,  0.],
                [ 3.,  4.]])
        """
        if not isinstance(scale, Tensor) or scale.shape != (self.shape[0],):
            got = tuple(scale.shape) if isinstance(scale, Tensor) else type(scale).__name__
            raise ValueError(f"CSR.scale_rows: expected a tensor ({self.shape[0]},), got {got}")
        return self * scale[:, None]

    # -- conversion -------------------------------------------------------------------------

    @classmethod
    def from_scipy(cls, matrix: Any) -> CSR:
        """From any SciPy sparse matrix or array; float32 stays, every other real type is float64.

        Examples
        --------
        >>> import scipy.sparse
        >>> CSR.from_scipy(scipy.sparse.eye_array(3)).shape
        (3, 3)
        """
        return cls(*conversion.parts_of_scipy(matrix))

    @classmethod
    def from_torch(cls, matrix: Tensor) -> CSR:
        """From a torch sparse tensor of layout CSR or COO, on its device.

        float32 stays, every other real type becomes float64.
        """
        return cls(*conversion.parts_of_torch(matrix))

    @classmethod
    def from_dense(cls, matrix: Tensor) -> CSR:
        """From the nonzero entries of a dense 2-D tensor, on its device.

        float32 stays, every other real type becomes float64.

        Examples
        --------
        >>> CSR.from_dense(torch.eye(3)).nnz
        3
        """
        return cls(*conversion.parts_of_dense(matrix))

    def to_scipy(self) -> csr_array:
        """A copy as a ``scipy.sparse.csr_array``."""
        return conversion.to_scipy(self)

    def to_torch(self) -> Tensor:
        """A copy as a ``torch.sparse_csr`` tensor, which wants its columns sorted and distinct."""
        return conversion.to_torch(self)

    def to_dense(self) -> Tensor:
        """As a dense tensor (rows, columns), through which gradients flow to learnt entries."""
        index = (arithmetic.row_of_each_entry(self), self.col.long())
        return self.values.new_zeros(self.shape).index_put(index, self.values, accumulate=True)


class CSRTranspose:
    """The transpose of a CSR: owns no tensors, multiplies with what its parent stores."""

    __slots__ = ("T",)
    __array_ufunc__ = None

    def __init__(self, parent: CSR) -> None:
        self.T = parent

    def __matmul__(self, y: Tensor) -> Tensor:
        """``A.T @ y``: (rows,) -> (columns,), (..., rows, k) -> (..., columns, k)."""
        return self.T._product(y, True)

    __call__ = __matmul__

    def __rmatmul__(self, x: Tensor) -> Tensor:
        """``x @ A.T``: (columns,) -> (rows,), (..., k, columns) -> (..., k, rows)."""
        return from_the_left(self.T._product, x, False)

    def __mul__(self, scale: Any) -> CSRTranspose:
        """``A.T * s``, entry by entry, as for ``A * s``."""
        scaled: CSR = self.T * _turned(scale)
        return scaled.T

    __rmul__ = __mul__

    def __truediv__(self, scale: Any) -> CSRTranspose:
        """``A.T / s``, entry by entry, as for ``A * s``."""
        scaled: CSR = self.T / _turned(scale)
        return scaled.T

    def __neg__(self) -> CSRTranspose:
        """``-A.T``."""
        return (-self.T).T

    @property
    def shape(self) -> tuple[int, int]:
        """(columns, rows) of the parent."""
        rows, columns = self.T.shape
        return columns, rows

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return self.T.nnz

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.T.dtype

    @property
    def device(self) -> torch.device:
        """Where the parent's tensors are."""
        return self.T.device

    def to_scipy(self) -> csr_array:
        """A copy as a ``scipy.sparse.csr_array``."""
        return self.T.to_scipy().T.tocsr()

    def to_dense(self) -> Tensor:
        """A copy as a dense tensor."""
        return self.T.to_dense().mT.contiguous()

    def __repr__(self) -> str:
        return f"CSRTranspose(shape={self.shape}, nnz={self.nnz}, dtype={self.dtype})"


def _turned(scale: Any) -> Any:
    """Return a scale of the transpose as one of the matrix."""
    if not isinstance(scale, Tensor) or scale.dim() == 0:
        return scale
    return (scale[None] if scale.dim() == 1 else scale).mT
