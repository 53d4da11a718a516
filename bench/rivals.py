"""Everybody who multiplies: ours, torch.sparse, dense, SciPy, and on a GPU CuPy and cuSPARSE.

A maker takes `Operands` and returns a call without arguments that does the operation once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.sparse import csr_array

import dtpinn
from bench.operands import Call, Operands, synchronised, torch_csr
from dtpinn.reference import CuPyProduct, cupy_unavailable

FORWARD, BACKWARD = "forward", "forward + backward"


@dataclass(frozen=True)
class Rival:
    """One to compare with. `setting` is "1 thread" or "GPU" where ours must adapt to the rival."""

    name: str
    make: Callable[[Operands], Call]
    operations: tuple[str, ...] = (FORWARD, BACKWARD)
    setting: str = ""
    same_result: bool = True

    def unavailable(self) -> str | None:
        """Say why this machine cannot run it, or None where it can."""
        if self.setting == "GPU" and not torch.cuda.is_available():
            return "CuPy and cuSPARSE: no CUDA device on this machine"
        if self.make in (cupy_dlpack, cupy_alone) and (reason := cupy_unavailable()):
            return f"CuPy: {reason}"
        return None


def ours(operands: Operands) -> Call:
    A = dtpinn.CSR.from_scipy(operands.matrix).to(operands.x.device)
    return operands.call(lambda x: A @ x)


def torch_int32(operands: Operands) -> Call:
    A = torch_csr(operands.matrix, torch.int32, operands.x.device)
    return operands.call(lambda x: A @ x)


def torch_int64(operands: Operands) -> Call:
    A = torch_csr(operands.matrix, torch.int64)
    return operands.call(lambda x: A @ x)


class _StoredTranspose(torch.autograd.Function):
    """What a careful user of torch.sparse writes: the backward pass is one product too.

    dtpinn.reference.TorchProduct is that with checks and higher derivatives, 15 us more.
    """

    @staticmethod
    def forward(ctx, x, A, A_t):
        ctx.A_t = A_t
        return A @ x

    @staticmethod
    def backward(ctx, g):
        return ctx.A_t @ g, None, None


def torch_transposed(operands: Operands) -> Call:
    A = torch_csr(operands.matrix, torch.int32)
    A_t = torch_csr(csr_array(operands.matrix.T), torch.int32)
    return operands.call(lambda x: _StoredTranspose.apply(x, A, A_t))


def dense(operands: Operands) -> Call:
    A = torch.from_numpy(operands.matrix.toarray())
    multiply = torch.mv if operands.x.dim() == 1 else torch.mm
    return operands.call(lambda x: multiply(A, x))


def with_scipy(operands: Operands) -> Call:
    matrix, x = operands.matrix, operands.x.numpy()
    return lambda: torch.from_numpy(matrix @ x)


def cupy_dlpack(operands: Operands) -> Call:
    """The paper's way, mended: torch's vectors to CuPy and back by DLPack, in each product."""
    product = CuPyProduct(dtpinn.CSR.from_scipy(operands.matrix).to(operands.x.device))
    return operands.call(lambda x: product(x))


def cupy_alone(operands: Operands) -> Call:
    """By cuSPARSE as CuPy calls it, on an array of CuPy's own: no torch, no DLPack, no autograd."""
    import cupy
    from cupyx.scipy.sparse import csr_matrix

    A = csr_matrix(operands.matrix)
    A.sum_duplicates()  # already so; CuPy finds that out now and not in the first product
    x = cupy.asarray(operands.x.detach().cpu().numpy(), order="F")
    return operands.finish(lambda: A @ x)


def streaming(operands: Operands) -> Call:
    """The memory's own speed: the fastest of three simple kernels on the product's bytes."""
    size = operands.traffic // 16
    data = torch.ones(2 * size, dtype=torch.float64, device=operands.x.device)
    left, right = data[:size], data[size:]
    kernels: dict[str, Call] = {
        "sum": data.sum,
        "dot": lambda: torch.dot(left, right),
        "copy": lambda: left.copy_(right),
    }
    waited = dict(kernels)
    if data.is_cuda:
        waited = {name: synchronised(kernel) for name, kernel in kernels.items()}
    name = min(waited, key=lambda name: _best_time(waited[name]))
    kernel = operands.finish(kernels[name])
    call: Call = lambda: kernel()  # noqa: E731
    call.__name__ = f"streaming: {name}"
    return call


def _best_time(call: Call, calls: int = 9) -> float:
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


RIVALS = [
    Rival("torch int32", torch_int32),
    Rival("torch int64", torch_int64),
    Rival("torch int32 + A^T", torch_transposed, operations=(BACKWARD,)),
    Rival("dense", dense),
    Rival("SciPy", with_scipy, operations=(FORWARD,), setting="1 thread"),
    Rival("streaming", streaming, operations=(FORWARD,), same_result=False),
    Rival("CuPy + DLPack", cupy_dlpack, setting="GPU"),
    Rival("CuPy alone", cupy_alone, operations=(FORWARD,), setting="GPU", same_result=False),
    Rival("cuSPARSE by torch", torch_int32, setting="GPU"),
    Rival("GPU streaming", streaming, operations=(FORWARD,), setting="GPU", same_result=False),
]
