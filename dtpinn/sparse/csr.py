"""CSR: a constant sparse matrix as a torch module."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dtpinn.sparse import extension as _extension  # noqa: F401  (registers torch.ops.dtpinn)
from dtpinn.sparse.structure import (
    Structure,
    checked_shape,
    checked_structure,
    checked_values,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class CSR(nn.Module):
    """A sparse matrix in compressed-row form, to multiply with inside a model.

    The indices are checked once, here; the transpose is built once, in linear time, and stored,
    so that the backward pass is one product. It is a module, so it moves with its parent's
    ``.to()`` and is saved in its ``state_dict``, and ``A(x)`` compiles and exports. The entries
    are constants unless `values` requires a gradient, in which case they are learnt.

    Parameters
    ----------
    crow : Tensor, (rows + 1,), int32 or int64
        First entry of each row.
    col : Tensor, (nnz,), int32 or int64
        Column of each entry, in any order within a row. Repeated entries add up.
    values : Tensor, (nnz,), float64 or float32
        The entries. An ``nn.Parameter`` stays the parameter it is.
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

    crow: Tensor
    col: Tensor
    values: Tensor

    def __init__(self, crow: Tensor, col: Tensor, values: Tensor, shape: Sequence[int]) -> None:
        super().__init__()
        # A tensor made under inference_mode could never be saved for a backward pass.
        with torch.inference_mode(False):
            self._shape = checked_shape(shape)
            structure = checked_structure(crow, col, self._shape)
            values = checked_values(values, structure.col.numel())
            if values.device != structure.col.device:
                raise ValueError(
                    f"CSR: values is on {values.device} and the indices on "
                    f"{structure.col.device}; move one"
                )
            self._install(structure, values if values.requires_grad else values.clone())

    def _install(self, structure: Structure, values: Tensor) -> None:
        """Set the buffers. Only the matrix itself is saved; the transpose is rebuilt from it."""
        self.register_buffer("crow", structure.crow)
        self.register_buffer("col", structure.col)
        self.register_buffer("crow_t", structure.crow_t, persistent=False)
        self.register_buffer("col_t", structure.col_t, persistent=False)
        self.register_buffer("perm", structure.perm, persistent=False)
        if isinstance(values, nn.Parameter):
            self.register_parameter("values", values)
        else:
            self.register_buffer("values", values)
        # Learnt entries change between calls, so their transpose is gathered when it is needed.
        values_t = None if values.requires_grad else values[structure.perm]
        self.register_buffer("values_t", values_t, persistent=False)

    # -- the product ------------------------------------------------------------------------

    def _product(self, x: Tensor, transpose: bool) -> Tensor:
        if not isinstance(x, Tensor):
            raise TypeError(
                f"CSR: expected a torch tensor to multiply with, got {type(x).__name__}; "
                "use torch.as_tensor"
            )
        b = self._buffers  # attribute access through nn.Module costs microseconds
        values = b["values"] if "values" in b else self._parameters["values"]
        y: Tensor = torch.ops.dtpinn.csr_product(
            b["crow"], b["col"], values, b["crow_t"], b["col_t"], b["values_t"], b["perm"], x,
            transpose,
        )  # fmt: skip
        return y

    def __matmul__(self, x: Tensor) -> Tensor:
        """``A @ x``: x is (columns,) or (columns, k), the result (rows,) or (rows, k)."""
        return self._product(x, False)

    def forward(self, x: Tensor) -> Tensor:
        """``A(x)``, the same product; use this form in code that is compiled or exported."""
        return self._product(x, False)

    @property
    def T(self) -> CSRTranspose:
        """The transpose: a view that multiplies, at the price of the matrix itself."""
        return CSRTranspose(self)

    # -- what it is -------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self._shape

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return self.col.numel()

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.values.dtype

    @property
    def device(self) -> torch.device:
        """Where all its tensors are."""
        return self.col.device

    def extra_repr(self) -> str:
        """Show shape, entries, dtype and device when printed."""
        return f"shape={self.shape}, nnz={self.nnz}, dtype={self.dtype}, device={self.device}"

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
        from scipy.sparse import issparse  # here, so that importing the op alone loads no SciPy

        if not issparse(matrix):
            raise TypeError(
                f"CSR.from_scipy: expected a SciPy sparse matrix, got {type(matrix).__name__}"
            )
        if np.iscomplexobj(matrix):
            raise TypeError("CSR.from_scipy: complex matrices are not supported; got complex data")
        rows = matrix.tocsr()
        data = rows.data if rows.data.dtype == np.float32 else rows.data.astype(np.float64)
        crow, col, values = (torch.tensor(a) for a in (rows.indptr, rows.indices, data))
        return cls(crow, col, values, rows.shape)

    @classmethod
    def from_torch(cls, matrix: Tensor) -> CSR:
        """From a torch sparse tensor of layout CSR or COO, on its device."""
        if matrix.layout == torch.sparse_coo and matrix.dim() == 2:
            matrix = matrix.coalesce().to_sparse_csr()
        if matrix.layout != torch.sparse_csr or matrix.dim() != 2:
            raise TypeError(
                "CSR.from_torch: expected a 2-D sparse tensor of layout torch.sparse_csr or "
                f"torch.sparse_coo, got layout {matrix.layout} and shape {tuple(matrix.shape)}"
            )
        values = matrix.values().detach()
        return cls(matrix.crow_indices(), matrix.col_indices(), values, matrix.shape)

    def to_scipy(self) -> csr_array:
        """A copy as a ``scipy.sparse.csr_array``."""
        from scipy.sparse import csr_array

        parts = (self.values.detach(), self.col, self.crow)
        data, indices, indptr = (part.cpu().numpy().copy() for part in parts)
        return csr_array((data, indices, indptr), shape=self.shape)

    def to_torch(self) -> Tensor:
        """A copy as a ``torch.sparse_csr`` tensor, which wants its columns sorted and distinct."""
        tidy = self.to_scipy()
        tidy.sum_duplicates()
        arrays = (tidy.indptr, tidy.indices, tidy.data)
        crow, col, values = (torch.from_numpy(array).to(self.device) for array in arrays)
        return torch.sparse_csr_tensor(crow, col, values, self.shape, check_invariants=True)

    # -- moving, saving and loading ---------------------------------------------------------

    def to(self, *args: Any, **kwargs: Any) -> CSR:
        """Return a CSR on another device or of another dtype; arguments as for ``Tensor.to``.

        Unlike ``nn.Module.to`` it leaves this matrix as it is. As part of a parent module it is
        converted in place with the parent, as every submodule is.
        """
        other = copy.copy(self)
        other._buffers = dict(self._buffers)
        other._parameters = {
            name: None if p is None else nn.Parameter(p.detach().clone())
            for name, p in self._parameters.items()
        }
        return nn.Module.to(other, *args, **kwargs)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Check what comes in before any of it is used, then rebuild the transpose."""
        names = [prefix + name for name in ("crow", "col", "values")]
        structure = None
        if all(name in state_dict for name in names):
            crow, col, values = (state_dict[name] for name in names)
            try:
                structure = checked_structure(crow, col, self._shape)
                checked_values(values, structure.col.numel())
            except (TypeError, ValueError) as error:
                args[-1].append(f"{prefix or 'CSR'}: {error}")
                return
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        if structure is not None and self.crow.shape == structure.crow.shape:
            self._install(Structure(*(t.to(self.device) for t in structure)), self.values)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickle or copy: integers from a file are checked like any others."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._install(checked_structure(self.crow, self.col, self._shape), self.values)


class CSRTranspose:
    """The transpose of a CSR: owns no tensors, multiplies with what its parent stores."""

    __slots__ = ("T",)

    def __init__(self, parent: CSR) -> None:
        self.T = parent

    def __matmul__(self, y: Tensor) -> Tensor:
        """``A.T @ y``: y is (rows,) or (rows, k), the result (columns,) or (columns, k)."""
        return self.T._product(y, True)

    __call__ = __matmul__

    @property
    def shape(self) -> tuple[int, int]:
        """(columns, rows) of the parent."""
        rows, columns = self.T.shape
        return columns, rows

    def __repr__(self) -> str:
        return f"CSRTranspose(shape={self.shape}, nnz={self.T.nnz})"
