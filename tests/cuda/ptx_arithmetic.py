"""What the instructions of PTX that only touch registers compute, on one numpy item per thread."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable

import numpy as np

DTYPES = {
    "pred": np.dtype(bool),
    "b32": np.dtype(np.uint32), "u32": np.dtype(np.uint32), "s32": np.dtype(np.int32),
    "b64": np.dtype(np.uint64), "u64": np.dtype(np.uint64), "s64": np.dtype(np.int64),
    "f32": np.dtype(np.float32), "f64": np.dtype(np.float64),
}  # fmt: skip

Operation = tuple[Callable[..., np.ndarray], list[np.dtype], np.dtype]


def _libm(name: str, scalar: type) -> np.ufunc:
    """The C library's fused multiply-add, which rounds once; Python's own comes with 3.13."""
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.restype, function.argtypes = scalar, [scalar] * 3
    return np.frompyfunc(function, 3, 1)


FUSED = {
    DTYPES["f64"]: _libm("fma", ctypes.c_double),
    DTYPES["f32"]: _libm("fmaf", ctypes.c_float),
}


def fma(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.asarray(FUSED[a.dtype](a, b, c)).astype(a.dtype)


def same(a: np.ndarray) -> np.ndarray:
    return a


def shift_left(a: np.ndarray, by: np.ndarray) -> np.ndarray:
    """PTX clamps the distance to the width, C++ and numpy leave that undefined."""
    bits = 8 * a.dtype.itemsize
    return np.where(by < bits, a << np.minimum(by, bits - 1).astype(a.dtype), a.dtype.type(0))


def shift_right(a: np.ndarray, by: np.ndarray) -> np.ndarray:
    bits = 8 * a.dtype.itemsize
    last = a >> a.dtype.type(bits - 1)  # all copies of the sign
    return np.where(
        by < bits, a >> np.minimum(by, bits - 1).astype(a.dtype), last >> a.dtype.type(1)
    )


COMPARISONS = {
    "setp.eq": np.equal, "setp.ne": np.not_equal, "setp.lt": np.less, "setp.le": np.less_equal,
    "setp.gt": np.greater, "setp.ge": np.greater_equal,
}  # fmt: skip
LOGIC = {
    "mov": same, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "not": np.invert,
}  # fmt: skip
INTEGER = {
    "add": np.add, "sub": np.subtract, "neg": np.negative, "mul.lo": np.multiply,
    "mad.lo": lambda a, b, c: a * b + c, "min": np.minimum, "max": np.maximum,
}  # fmt: skip
FLOAT = {"mov": same, "fma.rn": fma, "add": np.add, "add.rn": np.add, "mul.rn": np.multiply}
SHIFTS = {"shl": shift_left, "shr": shift_right}
INTEGERS = {"u32", "s32", "u64", "s64"}  # that cvt knows, whatever the registers' widths
WIDE = {"mul.wide": lambda a, b: a * b, "mad.wide": lambda a, b, c: a * b + c}


def operation(head: str, types: tuple[str, ...]) -> Operation | None:
    """The function of an instruction, the types of its sources and of its result; None if unknown.

    Wraparound is numpy's own on fixed-width integers. A plain `mul` of floats is left out on
    purpose: the assembler may fuse it with an addition, so its bits are not known from the PTX.
    """
    if len(types) == 2 and head == "cvt" and {*types} <= INTEGERS:
        return same, [DTYPES[types[1]]], DTYPES[types[0]]  # from, to
    if len(types) != 1 or types[0] not in DTYPES:
        return None
    t = DTYPES[types[0]]
    if head in COMPARISONS:
        return COMPARISONS[head], [t, t], DTYPES["pred"]
    if head == "selp":
        return lambda a, b, p: np.where(p, a, b), [t, t, DTYPES["pred"]], t
    if t.kind == "f":
        return (FLOAT[head], [t] * 3, t) if head in FLOAT else None
    if head in LOGIC:
        return LOGIC[head], [t] * 3, t
    if t.kind == "b":
        return None
    if head in SHIFTS:
        return SHIFTS[head], [t, DTYPES["u32"]], t
    if head in WIDE and t.itemsize == 4:
        wide = np.dtype(f"{t.kind}8")
        return widened(WIDE[head], wide), [t, t, wide], wide
    return (INTEGER[head], [t] * 3, t) if head in INTEGER else None


def widened(function: Callable[..., np.ndarray], wide: np.dtype) -> Callable[..., np.ndarray]:
    return lambda *operands: function(*(each.astype(wide) for each in operands))
