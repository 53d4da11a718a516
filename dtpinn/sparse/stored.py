"""How a sparse matrix is kept as a torch module: checked, mirrored, moved, saved and loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dtpinn.sparse.structure import (
    Structure,
    checked_shape,
    checked_structure,
    checked_values,
)

if TYPE_CHECKING:
    from typing_extensions import Self


class StoredCSR(nn.Module):
    """A CSR matrix and the structure of its transpose, as buffers; see ``CSR`` for its use.

    Attributes
    ----------
    crow, col : Tensor
        (rows + 1,) and (nnz,), saved in ``state_dict``.
    values : Tensor or Parameter
        (nnz,), saved in ``state_dict``.
    crow_t, col_t, perm : Tensor
        (columns + 1,), (nnz,) and (nnz,): the structure of the transpose, and which entry of the
        matrix each of its entries is. Rebuilt on loading.
    values_t : Tensor or None
        Constant values in the order of the transpose.
    """

    crow: Tensor
    col: Tensor
    values: Tensor
    crow_t: Tensor
    col_t: Tensor
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

    # -- copies of the same structure, moving, saving and loading -----------------------------

    def _with_values(self, values: Tensor) -> Self:
        """Return a matrix of the same structure, which is shared: nothing ever writes to it."""
        other = type(self).__new__(type(self))
        nn.Module.__init__(other)
        other._shape = self._shape
        structure = Structure(self.crow, self.col, self.crow_t, self.col_t, self.perm)
        with torch.inference_mode(False):
            other._install(structure, checked_values(values, self.col))
        return other

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return a CSR on another device or of another dtype; arguments as for ``Tensor.to``.

        Unlike ``nn.Module.to`` it leaves this matrix as it is, and so do ``.float()``,
        ``.double()``, ``.cpu()``, ``.cuda()`` and ``.type()``. Learnt values become a new
        parameter. As part of a parent module it is converted in place with the parent, as every
        submodule is.

        Raises
        ------
        TypeError
            For a dtype other than float64 and float32.

        Examples
        --------
        >>> from dtpinn import CSR
        >>> A = CSR.from_dense(torch.eye(2, dtype=torch.float64))
        >>> A.float().dtype, A.dtype
        (torch.float32, torch.float64)
        """
        _, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
        if dtype not in (None, torch.float64, torch.float32):
            raise TypeError(f"CSR: values must be float64 or float32, so not {dtype}")
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._buffers = dict(self._buffers)
        other._parameters = {
            name: None if p is None else nn.Parameter(p.detach().clone(), p.requires_grad)
            for name, p in self._parameters.items()
        }
        return nn.Module.to(other, *args, **kwargs)

    def float(self) -> Self:
        """Return a CSR in float32."""
        return self.to(torch.float32)

    def double(self) -> Self:
        """Return a CSR in float64."""
        return self.to(torch.float64)

    def half(self) -> Self:
        """Raise TypeError: there are products in float64 and float32 alone."""
        return self.to(torch.float16)

    def bfloat16(self) -> Self:
        """Raise TypeError: there are products in float64 and float32 alone."""
        return self.to(torch.bfloat16)

    def cpu(self) -> Self:
        """Return a CSR on the CPU."""
        return self.to("cpu")

    def cuda(self, device: int | torch.device | None = None) -> Self:
        """Return a CSR on a GPU."""
        if device is None:
            return self.to("cuda")
        return self.to(torch.device("cuda", device) if isinstance(device, int) else device)

    def type(self, dst_type: torch.dtype | str) -> Self:
        """Return a CSR of another dtype, which may be a tensor type's name as for tensors."""
        if isinstance(dst_type, str):
            dst_type = self.values.new_empty(0).type(dst_type).dtype
        return self.to(dst_type)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
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
            if isinstance(col, Tensor) and col.numel() != self.nnz:
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
