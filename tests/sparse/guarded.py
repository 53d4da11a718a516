"""Products of arrays that begin and end where memory does; prints a digest of each result.

Run by `test_loading.py` with each way of loading x. Every array lies between two pages that nobody
may touch, once at the end of the one before and once at the beginning of the other: a lane that is
loaded from beside it ends the process, whatever it is masked with afterwards. No sanitizer sees as
much, for a hardware gather is an instruction that none instruments.
"""

from __future__ import annotations

import ctypes
import hashlib
import mmap
import os
import resource
import sys
from collections.abc import Iterable, Iterator

import numpy as np
import scipy.sparse as sp
import torch

from dtpinn import _C
from tests.sparse.matrices import MATRICES

LIBC = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.PAGESIZE
TYPES = [(v, i) for v in (np.float64, np.float32) for i in (np.int32, np.int64)]
COLUMNS = 53


def guarded(array: np.ndarray, at_end: bool) -> torch.Tensor:
    """A copy that no byte may be read beside, up to a page's alignment on its other side."""
    if array.size == 0:
        return torch.from_numpy(array.copy())
    pages = -(-array.nbytes // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + (pages + 1) * PAGE):
        if LIBC.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), 0) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = (pages + 1) * PAGE - array.nbytes if at_end else PAGE
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return torch.from_numpy(copy)


class Guarded:
    """A matrix, its transpose and operands, all of them guarded, and what is made of them."""

    def __init__(self, matrix: sp.csr_array, scalar, index, at_end: bool) -> None:
        rows, columns = matrix.shape
        rng = np.random.default_rng(matrix.nnz)
        arrays = {
            "crow": matrix.indptr.astype(index),
            "col": matrix.indices.astype(index),
            "values": matrix.data.astype(scalar),
            "x": rng.standard_normal(columns).astype(scalar),
            "g": rng.standard_normal(rows).astype(scalar),
        }
        transpose = torch.ops.dtpinn.csr_transpose(
            torch.from_numpy(arrays["crow"]), torch.from_numpy(arrays["col"]), columns
        )
        for name, made in zip(("crow_t", "col_t", "perm"), transpose, strict=True):
            arrays[name] = made.numpy()
        arrays["values_t"] = arrays["values"][arrays["perm"]]
        for name in arrays:
            setattr(self, name, guarded(arrays[name], at_end))

    def product(self, transpose: bool) -> torch.Tensor:
        return torch.ops.dtpinn.csr_product(
            self.crow, self.col, self.values, self.crow_t, self.col_t, self.values_t, self.perm,
            self.g if transpose else self.x, transpose,
        )  # fmt: skip

    def sampled(self) -> torch.Tensor:
        return torch.ops.dtpinn.csr_sampled(
            self.crow, self.col, self.crow_t, self.col_t, self.perm, self.g, self.x
        )

    def results(self) -> list[torch.Tensor]:
        return [self.product(False), self.product(True), self.sampled()]


def with_row_lengths(lengths, columns: int = COLUMNS) -> sp.csr_array:
    rng = np.random.default_rng(len(lengths))
    crow = np.concatenate([[0], np.cumsum(lengths, dtype=int)])
    col = rng.integers(0, columns, crow[-1])
    col[-1:] = columns - 1  # the last row reads the last entry of x
    return sp.csr_array((rng.standard_normal(crow[-1]), col, crow), shape=(len(lengths), columns))


def not_finite() -> sp.csr_array:
    """Infinities, NaN, zeros of both signs and numbers below the normal ones among the entries."""
    lengths = [31] * 70 + [0, 1, 3, 5, 8, 9, 17, 40, 64]
    matrix = with_row_lengths(lengths)
    rng = np.random.default_rng(1)
    odd = rng.choice([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-310], matrix.nnz)
    matrix.data = np.where(rng.random(matrix.nnz) < 0.02, odd, matrix.data)
    return matrix


def cases(lengths: Iterable[int]) -> Iterator[tuple[str, sp.csr_array]]:
    yield from MATRICES.items()
    for length in lengths:
        # Two full groups of 64 equal rows and a part of one; then the last row alone that long.
        yield f"{length} each", with_row_lengths([length] * 131)
        yield f"{length} last", with_row_lengths([length] * 64 + [3, 0, length])
    rng = np.random.default_rng(0)
    yield "uneven", with_row_lengths(rng.integers(0, 70, 300))
    yield "x of one entry", with_row_lengths(rng.integers(0, 70, 90), columns=1)
    yield "not finite", not_finite()
    # Entries beyond 8 MB, which are asked for ahead: equal rows, then uneven ones.
    yield "large", with_row_lengths([31] * 26_000 + list(rng.integers(0, 70, 9_000)), columns=900)


def digest(result: torch.Tensor) -> str:
    """Of the bits; which NaN it is depends on the order of a product's factors alone."""
    numbers = result.numpy().copy()
    numbers[np.isnan(numbers)] = np.nan
    return hashlib.sha256(numbers.tobytes()).hexdigest()[:16]


def killed_by_a_column_too_many(length: int) -> bool:
    """Whether a child process survives no product that reads x[n] in a row of this length."""
    A = Guarded(with_row_lengths([length] * 65), np.float64, np.int32, at_end=True)
    A.col[-1] = COLUMNS
    child = os.fork()
    if child == 0:
        os.close(2)  # a sanitizer's report
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        A.product(False)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def main(every: bool) -> None:
    torch.set_num_threads(1)  # before the fork
    print("loads", *_C.loads().values())
    for name, matrix in cases(range(70) if every else [*range(10), 15, 16, 17, 24, 31, 32, 57, 64]):
        for scalar, index in TYPES:
            of_type = f"{name}, {scalar.__name__}, {index.__name__}"
            for at_end in (True, False):
                results = Guarded(matrix, scalar, index, at_end).results()
                print(of_type, *map(digest, results), sep=": ")
    for length in (1, 3, 4, 31, 57):
        print("killed" if killed_by_a_column_too_many(length) else "survived", length)


if __name__ == "__main__":
    main(every="every" in sys.argv[1:])
