"""The sparse product by CuPy (cuSPARSE) and DLPack, on the GPU: the paper's way, mended.

What the paper's listing does (appendix, "Code listings"), and what is done here instead:

- The transpose is a global that the backward pass looks up. Here each operator holds its own,
  built once in CSR form.
- CuPy works on its own current stream, the default one, and a raw DLPack capsule synchronises
  nothing: under ``torch.cuda.stream`` the product may read x before it is written. Here CuPy is put
  on torch's current stream for each product (in a backward pass that is the stream of the forward
  one), so the order is that of the program and nobody waits.
- ``cupy.sparse``, ``to_dlpack`` and ``toDlpack`` are gone or deprecated. Here both libraries take
  each other's arrays by the DLPack protocol, as before without a copy.
- The first product finds out whether columns are sorted and distinct, and waits for the answer.
  Here that is settled when the operator is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from dtpinn.reference.product import Product, checked_matrix
from dtpinn.sparse import CSR


class CuPyProduct(Product):
    """A x by ``cupyx.scipy.sparse``, on torch's current stream and without copies of a vector.

    A matrix operand (n, k) is brought into column-major order, the only one that CuPy hands to
    cuSPARSE: one copy, unless it comes that way. The result is column-major too.

    Parameters
    ----------
    matrix : CSR
        On a CUDA device, where the operands are as well. Its entries are copied as they are now,
        sorted, repeated ones added up.

    Raises
    ------
    TypeError
        If it is anything but a CSR.
    RuntimeError
        Where CuPy cannot be used; the message says why and what to do, as `cupy_unavailable` does.
    ValueError
        If the matrix is not on a CUDA device.

    Examples
    --------
    Only a machine with a CUDA device can run this one:

    >>> A = CSR(torch.tensor([0, 1, 3]), torch.tensor([1, 0, 2]), torch.ones(3), (2, 3))
    >>> P = CuPyProduct(A.to("cuda"))                       # doctest: +SKIP
    >>> P(torch.tensor([1.0, 10.0, 100.0], device="cuda"))  # doctest: +SKIP
    tensor([ 10., 101.], device='cuda:0')
    """

    device_type = "cuda"  # the tests put a stand-in for CuPy on the CPU

    def __init__(self, matrix: CSR) -> None:
        checked_matrix(matrix, "CuPyProduct")
        reason = cupy_unavailable()
        if reason is not None:
            raise RuntimeError(f"CuPyProduct: expected CuPy and a CUDA device; {reason}")
        if matrix.device.type != self.device_type:
            raise ValueError(
                f"CuPyProduct: expected a CSR on a CUDA device, got it on {matrix.device}; "
                'use A.to("cuda")'
            )
        # By way of the host: once per operator, and independent of our own stored transpose.
        rows = matrix.to_scipy()
        rows.sum_duplicates()
        with _torchs_stream(matrix.values) as stream:
            there, transposed = _upload(rows), _upload(rows.T.tocsr())
            # The copies run on this stream; a later product may run on any other.
            stream.synchronize()
        super().__init__(
            partial(_multiply, there),
            partial(_multiply, transposed),
            matrix.shape,
            matrix.dtype,
            matrix.device,
        )


def cupy_unavailable() -> str | None:
    """Say why CuPy cannot be used here and what to do, or None where it can.

    Examples
    --------
    >>> isinstance(cupy_unavailable(), str) or torch.cuda.is_available()
    True
    """
    version = torch.version.cuda  # None where torch's devices are AMD's
    if version is None or not torch.cuda.is_available():
        return "torch sees no CUDA device; without one, SciPyProduct is the reference"
    try:
        import cupy
        import cupyx.scipy.sparse  # noqa: F401
    except ImportError as error:
        return f"CuPy does not import ({error}); pip install 'dtpinn[cupy]'"
    if not cupy.cuda.is_available():
        return (
            f"CuPy {cupy.__version__} sees no CUDA device where torch with CUDA {version} does; "
            f"pip install cupy-cuda{version.split('.')[0]}x in place of the CuPy that is there"
        )
    return None


@contextmanager
def _torchs_stream(tensor: Tensor) -> Iterator[Any]:
    """Let CuPy work on the tensor's device and torch's current stream there; yield that stream."""
    import cupy

    with torch.cuda.device_of(tensor):  # type: ignore[no-untyped-call]
        current = torch.cuda.current_stream()
        if hasattr(cupy.cuda.Stream, "from_external"):
            stream = cupy.cuda.Stream.from_external(current)
        else:  # CuPy 13; deprecated in 14
            stream = cupy.cuda.ExternalStream(current.cuda_stream)
        with stream:
            yield stream


def _upload(matrix: Any) -> Any:
    """Copy a ``csr_array`` with sorted, distinct columns to the device; int32 indices stay so."""
    from cupyx.scipy.sparse import csr_matrix

    there = csr_matrix(matrix)
    there.sum_duplicates()  # nothing to do: CuPy finds that out now and not in the first product
    return there


def _multiply(matrix: Any, x: Tensor) -> Tensor:
    """Multiply a CuPy CSR matrix with a tensor on the same device."""
    if matrix.nnz == 0 or x.numel() == 0:
        # An empty array has a null pointer, of which CuPy asks CUDA where it lies.
        return x.new_zeros((matrix.shape[0], *x.shape[1:]))
    import cupy

    with _torchs_stream(x):
        return from_dlpack(matrix @ cupy.from_dlpack(_column_major(x)))


def _column_major(x: Tensor) -> Tensor:
    """Return x with unit stride along its rows; x itself where it has that already."""
    return x.contiguous() if x.dim() == 1 else x.mT.contiguous().mT
