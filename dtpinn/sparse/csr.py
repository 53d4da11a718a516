"""CSR: a constant sparse matrix as a torch module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dtpinn.sparse import conversion
from dtpinn.sparse import extension as _extension  # noqa: F401  (registers torch.ops.dtpinn)
from dtpinn.sparse.structure import (
    Structure,
    checked_shape,
    checked_structure,
    checked_values,
)
from dtpinn.sparse.transpose import CSRTranspose

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

    crow: Tensor
    col: Tensor
    values: Tensor
    perm: Tensor

    def __init__(self, crow: Tensor, col: Tensor, values: Tensor, shape: Sequence[int]) -> None:
        super().__init__()
        self._shape = checked_shape(shape)
        # A tensor made under inference_mode could never be saved for a backward pass.
        with torch.inference_mode(False):
            structure = checked_structure(crow, col, self._shape)
            values = checked_values(values, structure.col)
            learnt = isinstance(values, nn.Parameter) or values.requires_grad
            self._install(structure, values if learnt else values.clone())

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
        self.register_buffer("values_t", None, persistent=False)
        self._mirror()

    def _mirror(self) -> None:
        """Copy constant values in the order of the transpose, and note what the copy is of.

        Learnt values change between calls; their transpose is gathered when it is needed.
        """
        copied: Tensor | None = None
        of: tuple[Tensor | None, int] = (None, 0)
        values = self._buffers.get("values")
        if values is not None and not values.requires_grad:
            copied, of = values[self.perm], (values, values._version)
        self._buffers["values_t"] = copied
        self.__dict__["_mirrored"] = of  # in __dict__: nn.Module has its own ways with tensors

    def _values_t(self, values: Tensor) -> Tensor | None:
        """The transpose's values, unless `values` has been changed or replaced since."""
        of, version = self.__dict__["_mirrored"]
        if values is not of or values.requires_grad:
            return None
        # A compiled graph cannot ask for the version; there a constant is taken at its word.
        if not torch.compiler.is_compiling() and values._version != version:
            return None
        return self._buffers["values_t"]

    # -- the product ------------------------------------------------------------------------

    def _product(self, x: Any, transpose: bool) -> Tensor:
        if not isinstance(x, Tensor):
            hint = "multiply one after the other" if isinstance(x, CSR) else "use torch.as_tensor"
            raise TypeError(
                f"CSR: expected a torch tensor to multiply with, got {type(x).__name__}; {hint}"
            )
        b = self._buffers  # attribute access through nn.Module costs microseconds
        values: Any = b["values"] if "values" in b else self._parameters["values"]
        y: Tensor = torch.ops.dtpinn.csr_product(
            b["crow"], b["col"], values, b["crow_t"], b["col_t"], self._values_t(values),
            b["perm"], x, transpose,
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
        return cls(*conversion.parts_of_scipy(matrix))

    @classmethod
    def from_torch(cls, matrix: Tensor) -> CSR:
        """From a torch sparse tensor of layout CSR or COO, on its device.

        float32 stays, every other real type becomes float64.
        """
        return cls(*conversion.parts_of_torch(matrix))

    def to_scipy(self) -> csr_array:
        """A copy as a ``scipy.sparse.csr_array``."""
        return conversion.to_scipy(self)

    def to_torch(self) -> Tensor:
        """A copy as a ``torch.sparse_csr`` tensor, which wants its columns sorted and distinct."""
        return conversion.to_torch(self)

    # -- moving, saving and loading ---------------------------------------------------------

    def to(self, *args: Any, **kwargs: Any) -> CSR:
        """Return a CSR on another device or of another dtype; arguments as for ``Tensor.to``.

        Unlike ``nn.Module.to`` (and ``.float()``, ``.cuda()``, which are the module's own) it
        leaves this matrix as it is. Learnt values become a new parameter. As part of a parent
        module it is converted in place with the parent, as every submodule is.
        """
        other = CSR.__new__(CSR)
        other.__dict__.update(self.__dict__)
        other._buffers = dict(self._buffers)
        other._parameters = {
            name: None if p is None else nn.Parameter(p.detach().clone(), p.requires_grad)
            for name, p in self._parameters.items()
        }
        return nn.Module.to(other, *args, **kwargs)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> CSR:
        """Convert in place, for ``.to()`` of this module or a parent."""
        with torch.inference_mode(False):
            super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
            self._mirror()
        return self

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Check the matrix that would result before any of it is used, then rebuild the rest."""
        crow, col, values = (
            state_dict.get(prefix + name, getattr(self, name)) for name in ("crow", "col", "values")
        )
        try:
            if col.numel() != self.nnz:
                raise ValueError(
                    f"CSR: this matrix has {self.nnz} entries, the state {col.numel()}; build a "
                    "new CSR instead of loading into this one"
                )
            structure = checked_structure(crow, col, self._shape)
            checked_values(values, structure.col)
        except (TypeError, ValueError) as error:
            error_msgs.append(f"{prefix.rstrip('.') or 'CSR'}: {error}")
            return
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        device = self.device
        self._install(Structure(*(t.to(device) for t in structure)), self.values)

    def __getstate__(self) -> dict[str, Any]:
        """Keep the matrix alone: the transpose is rebuilt from it."""
        rebuilt = {"crow_t", "col_t", "perm", "values_t"}
        buffers = {name: t for name, t in self._buffers.items() if name not in rebuilt}
        state = {name: value for name, value in self.__dict__.items() if name != "_mirrored"}
        return {**state, "_buffers": buffers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickle or copy: integers from a file are checked like any others."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        with torch.inference_mode(False):
            structure = checked_structure(self.crow, self.col, self._shape)
            self._install(structure, checked_values(self.values, structure.col))
