"""Parity: the op on a device against SciPy, in all it does, on every shape.

The tolerance is a theorem, not a guess. A sum of m products, in any order, fused or not, is wrong
by at most m eps/2 / (1 - m eps/2) times the sum of their absolute values; SciPy's, in float64, is
wrong by as much or less. So two right results of row i differ by less than (m_i + 1) eps (|A||x|)_i
and a row without entries is exactly 0. `worst` is the largest difference in units of this bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

import dtpinn
from bench.sampled import sampled
from bench.shapes import SHAPES
from dtpinn.reference import CuPyProduct, cupy_unavailable

INDICES = ("crow", "col", "crow_t", "col_t", "perm")
# What is multiplied: leading dimensions, and trailing ones around the n rows that meet the matrix.
OPERANDS = [((), ()), ((), (0,)), ((), (1,)), ((), (2,)), ((), (25,)), ((), (33,)), ((2,), (3,))]


@dataclass(frozen=True)
class Check:
    """One comparison; `worst` is None where bits are compared.

    With a `remark` it is none: what could not be compared with, and why.
    """

    matrix: str
    dtype: str
    index: str
    what: str
    operand: str
    passed: bool
    worst: float | None = None
    remark: str | None = None


@dataclass(frozen=True)
class Subject:
    """A matrix on the device, constant and with learnt values, and the same for SciPy."""

    name: str
    host: dtpinn.CSR
    constant: dtpinn.CSR
    learnt: dtpinn.CSR
    oracle: csr_array
    index: str

    @classmethod
    def make(
        cls, name: str, matrix: csr_array, dtype: torch.dtype, index: torch.dtype, device: str
    ) -> Subject:
        """Made on the device from tensors on the device, its transpose too."""
        host = dtpinn.CSR.from_scipy(matrix).to(dtype)
        crow, col, values = (t.to(device) for t in (host.crow, host.col, host.values))
        there = [
            dtpinn.CSR(crow, col, v, host.shape) for v in (values, values.clone().requires_grad_())
        ]
        for A in there:
            for tensor in INDICES:  # int32 is what a CSR stores where it fits
                setattr(A, tensor, getattr(A, tensor).to(index))
        oracle = _with_data(host.to_scipy(), np.float64)
        return cls(name, host, *there, oracle, _short(index))

    def check(self, what: str, operand: str, passed: bool, worst: float | None = None) -> Check:
        """A comparison of this matrix."""
        return Check(self.name, _short(self.host.dtype), self.index, what, operand, passed, worst)


def parity(name: str, device: str, *, quick: bool = False) -> Iterator[Check]:
    """Every comparison of one of `SHAPES` on this device; `quick` leaves out float32 and int64."""
    matrix = SHAPES[name]()
    for dtype in [torch.float64] if quick else [torch.float64, torch.float32]:
        for index in [torch.int32] if quick else [torch.int32, torch.int64]:
            yield from parity_of(Subject.make(name, matrix, dtype, index, device))


def parity_of(subject: Subject) -> Iterator[Check]:
    """Every comparison of one matrix."""
    yield from stored_transpose(subject)
    for leading, trailing in OPERANDS:
        for transpose in (False, True):
            yield from _product(subject, leading, trailing, transpose)
    if subject.constant.device.type == "cuda" and subject.index == "int32":
        yield from _by_cupy(subject)


def _by_cupy(subject: Subject) -> Iterator[Check]:
    """Against CuPy, if there is one that works."""
    try:
        if cupy_unavailable() is None:
            yield from list(against_cupy(subject))
    except Exception as error:  # not ours: told, and the rest goes on
        check = subject.check("product by CuPy", "", True)
        yield replace(check, remark=f"{type(error).__name__}: {error}")


def stored_transpose(subject: Subject) -> Iterator[Check]:
    """The transpose built on the device is the one built on the CPU, entry by entry."""
    for tensor in (*INDICES, "values_t"):
        ours, wanted = getattr(subject.constant, tensor).cpu(), getattr(subject.host, tensor)
        same = torch.equal(ours, wanted.to(ours.dtype))
        yield subject.check("stored transpose", tensor, same)


def _product(
    subject: Subject, leading: tuple[int, ...], trailing: tuple[int, ...], transpose: bool
) -> Iterator[Check]:
    """A product, its gradients in the operand and in the values, and all three again."""
    rows, columns = subject.constant.shape
    size, result_size = (rows, columns) if transpose else (columns, rows)
    x = _operand(subject, (*leading, size, *trailing))
    g = _operand(subject, (*leading, result_size, *trailing))
    name, operand = "transpose" if transpose else "product", _words((*leading, "n", *trailing))
    y, dx, dvalues = results = _evaluate(subject, x, g, transpose)

    oracle = csr_array(subject.oracle.T) if transpose else subject.oracle
    y_, dx_ = _compare(oracle, x, y), _compare(csr_array(oracle.T), g, dx)
    left, right = (_fold(x), _fold(g)) if transpose else (_fold(g), _fold(x))
    terms = left[0].numel() if len(left) else 0
    bound = (terms + 1) * _eps(dvalues) * sampled(subject.host, left.abs(), right.abs())
    dvalues_ = _worst(dvalues, sampled(subject.host, left, right), bound)

    yield subject.check(name, operand, y_ <= 1, y_)
    yield subject.check(f"{name}: gradient in x", operand, dx_ <= 1, dx_)
    yield subject.check(f"{name}: gradient in values", operand, dvalues_ <= 1, dvalues_)
    again = [_evaluate(subject, x, g, transpose) for _ in range(2)]
    same = all(torch.equal(a, b) for other in again for a, b in zip(results, other, strict=True))
    yield subject.check(f"{name}: the same bits again", operand, same)
    both = _evaluate(subject, x.mT.contiguous().mT, g, transpose) if x.dim() > 1 else results
    same = all(torch.equal(a, b) for a, b in zip(results, both, strict=True))
    yield subject.check(f"{name}: the same bits of a strided operand", operand, same)


def _evaluate(subject: Subject, x: Tensor, g: Tensor, transpose: bool) -> tuple[Tensor, ...]:
    """The product by the constant matrix, and the gradients through that of learnt values."""
    constant, learnt = subject.constant, subject.learnt
    if transpose:
        constant, learnt = constant.T, learnt.T
    y = constant @ x
    operand = x.detach().requires_grad_()
    return y, *torch.autograd.grad(learnt @ operand, [operand, subject.learnt.values], g)


def against_cupy(subject: Subject) -> Iterator[Check]:
    """Against cuSPARSE, which may sum in another order: the bound is twice as wide."""
    A, P = subject.constant, CuPyProduct(subject.host.to(subject.constant.device))
    for trailing in ((), (1,), (25,)):
        for what, ours, theirs, oracle in (
            ("product by CuPy", A, P, subject.oracle),
            ("transpose by CuPy", A.T, P.T, csr_array(subject.oracle.T)),
        ):
            x = _operand(subject, (oracle.shape[1], *trailing))
            worst = _worst(ours @ x, (theirs @ x).cpu(), 2 * _bound(oracle, x))
            yield subject.check(what, _words(("n", *trailing)), worst <= 1, worst)


def _operand(subject: Subject, shape: tuple[int, ...]) -> Tensor:
    """Drawn on the host, so that every device is asked the same."""
    generator = torch.Generator().manual_seed(0)
    host = torch.randn(shape, dtype=subject.host.dtype, generator=generator)
    return host.to(subject.constant.device)


def _compare(oracle: csr_array, x: Tensor, y: Tensor) -> float:
    wanted = torch.from_numpy(oracle @ _fold(x).numpy())
    return _worst(_fold(y), wanted, _bound(oracle, x))


def _bound(oracle: csr_array, x: Tensor) -> Tensor:
    """(m_i + 1) eps (|A||x|)_i, folded."""
    terms = torch.from_numpy(np.diff(oracle.indptr) + 1.0)
    magnitude = torch.from_numpy(_with_data(oracle, np.abs) @ _fold(x).abs().numpy())
    return _eps(x) * terms.reshape(-1, *[1] * (magnitude.dim() - 1)) * magnitude


def _with_data(matrix: csr_array, function: Callable[[np.ndarray], np.ndarray]) -> csr_array:
    """A function of every entry; SciPy's own abs() and astype() add up repeated ones first."""
    parts = (function(matrix.data), matrix.indices, matrix.indptr)
    return csr_array(parts, shape=matrix.shape)


def _worst(ours: Tensor, wanted: Tensor, bound: Tensor) -> float:
    """The largest difference / bound; infinite where one of them is NaN or the shapes differ."""
    ours = ours.detach().cpu().double()
    if ours.shape != wanted.shape or not bool(torch.isfinite(ours).all()):
        return float("inf")
    difference = (ours - wanted).abs()
    ratio = torch.where(difference == 0, 0.0, difference / bound)
    return float(ratio.max()) if ratio.numel() else 0.0


def _fold(x: Tensor) -> Tensor:
    """(..., n, k) -> (n, ... k), on the host in float64."""
    x = x.detach().cpu().double()
    return x if x.dim() == 1 else x.movedim(-2, 0).flatten(1)


def _eps(tensor: Tensor) -> float:
    return torch.finfo(tensor.dtype).eps


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _words(shape: tuple[object, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
