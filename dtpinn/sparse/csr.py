"""CSR: a constant sparse matrix as a torch module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dtpinn.sparse import arithmetic, conversion
from dtpinn.sparse.extension import multiply as _multiply
from dtpinn.sparse.stored import StoredCSR
from dtpinn.sparse.transpose import CSRTranspose, from_the_left

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class CSR(StoredCSR):
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

    takes = ""
    """What its operands are, told with the error where one has another shape."""

    __array_ufunc__ = None  # numpy scalars leave ``scale * A`` to this class

    # -- the product ------------------------------------------------------------------------

    def _product(self, x: Any, transpose: bool) -> Tensor:
        if not torch.compiler.is_compiling():
            try:
                y: Tensor = _multiply(
                    self._buffers, self._parameters, self.__dict__["_mirrored"], x, transpose
                )
            except TypeError:
                conversion.check_real(x)
                raise
            except ValueError as error:
                if self.takes:
                    raise ValueError(f"{error}: {self.takes}") from None
                raise
            if y is not NotImplemented:
                return y
        return self._dispatch(x, transpose)

    def _dispatch(self, x: Any, transpose: bool) -> Tensor:
        """Call the operator through ``torch.ops``, where compilers and modes can see it."""
        if not hasattr(x, "__torch_function__"):
            hint = "multiply one after the other" if isinstance(x, CSR) else "use torch.as_tensor"
            raise TypeError(
                f"CSR: expected a torch tensor to multiply with, got {type(x).__name__}; {hint}"
            )
        b, values = self._buffers, self.values
        y: Tensor = torch.ops.dtpinn.csr_product(
            b["crow"], b["col"], values, b["crow_t"], b["col_t"], self._values_t(values),
            b["perm"], x, transpose,
        )  # fmt: skip
        return y

    def __matmul__(self, x: Tensor) -> Tensor:
        """``A @ x``: (columns,) -> (rows,), (..., columns, k) -> (..., rows, k)."""
        return self._product(x, False)

    def __rmatmul__(self, x: Tensor) -> Tensor:
        """``x @ A``: (rows,) -> (columns,), (..., k, rows) -> (..., k, columns)."""
        return from_the_left(self._product, x, True)

    def forward(self, x: Tensor) -> Tensor:
        """``A(x)``, the same product; use this form in code that is compiled or exported."""
        return self._product(x, False)

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
