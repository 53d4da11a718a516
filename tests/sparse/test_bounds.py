"""The kernels on arrays that end where their last entry does.

Every row length with every tail of the vector code, every number of columns, at the end of memory
allocated to size: under AddressSanitizer (`.ci/sanitized`) a read or write past it ends the
process. The usual build compares the same results with SciPy.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from dtpinn import _C
from tests.sparse.matrices import magnitude

COLUMNS = 53
TYPES = [(v, i) for v in (torch.float64, torch.float32) for i in (torch.int32, torch.int64)]
# Both precisions and both sizes of indices; every pair of them where all is run (.ci/sanitized).
USUAL = (TYPES[0], TYPES[3])
every_type = pytest.mark.parametrize(
    ("scalar", "index"),
    [pytest.param(*each, marks=() if each in USUAL else pytest.mark.full) for each in TYPES],
    ids=lambda t: str(t)[6:],
)


def with_row_lengths(lengths) -> sp.csr_array:
    rng = np.random.default_rng(len(lengths))
    crow = np.concatenate([[0], np.cumsum(lengths, dtype=int)])
    col = rng.integers(0, COLUMNS, crow[-1])
    col[-1:] = COLUMNS - 1  # the last row reads the last entry of x
    return sp.csr_array((rng.standard_normal(crow[-1]), col, crow), shape=(len(lengths), COLUMNS))


def fresh(array, dtype) -> torch.Tensor:
    """Memory of its own, ending where the array does."""
    return torch.empty(np.shape(array), dtype=dtype).copy_(torch.as_tensor(array))


class Checked:
    """The operators on freshly allocated arrays, against SciPy.

    Round-off of a sum of n products, in any order: n eps sum |a| |b| (Higham, section 3.1), doubled
    for SciPy's own and with one to spare for the rounding of the operands to single precision.
    """

    def __init__(self, matrix: sp.csr_array, scalar, index) -> None:
        self.matrix = matrix
        self.scalar = scalar
        self.crow, self.col = fresh(matrix.indptr, index), fresh(matrix.indices, index)
        self.values = fresh(matrix.data, scalar)
        transpose = torch.ops.dtpinn.csr_transpose(self.crow, self.col, COLUMNS)
        self.crow_t, self.col_t, self.perm = transpose

    def operand(self, size: int, k: int | None) -> torch.Tensor:
        return fresh(torch.randn(size if k is None else (size, k)), self.scalar)

    def agree(self, got: torch.Tensor, wanted, size, terms: int) -> None:
        bound = 2 * (terms + 3) * torch.finfo(self.scalar).eps * size
        assert got.shape == wanted.shape
        assert np.all(np.abs(got.double().numpy() - wanted) <= bound)

    def product(self, k: int | None) -> None:
        for transpose in (False, True):
            matrix = self.matrix.T.tocsr() if transpose else self.matrix
            x = self.operand(matrix.shape[1], k)
            got = torch.ops.dtpinn.csr_product(
                self.crow, self.col, self.values, self.crow_t, self.col_t, None, self.perm, x,
                transpose,
            )  # fmt: skip
            x = x.double().numpy()
            longest = int(np.diff(matrix.indptr).max(initial=0))
            self.agree(got, matrix @ x, magnitude(matrix) @ np.abs(x), longest)

    def sampled(self, k: int | None) -> None:
        rows, columns = self.matrix.shape
        y, x = self.operand(rows, k), self.operand(columns, k)
        got = torch.ops.dtpinn.csr_sampled(
            self.crow, self.col, self.crow_t, self.col_t, self.perm, y, x
        )
        i = np.repeat(np.arange(rows), np.diff(self.matrix.indptr))
        terms = y.double().numpy()[i] * x.double().numpy()[self.matrix.indices]
        wide = terms.reshape(len(i), -1 if len(i) else 1)
        self.agree(got, wide.sum(1), np.abs(wide).sum(1), wide.shape[1])


@every_type
def test_rows_of_every_length(scalar, index):
    """Equal rows in two full groups of 64 and a part of one, then the last row alone that long."""
    for length in range(41):
        rng = np.random.default_rng(length)
        ragged = [*rng.integers(0, 41, 70), length]
        for lengths in ([length] * 131, [length] * 128 + [3] * 2 + [length], ragged, [length]):
            A = Checked(with_row_lengths(lengths), scalar, index)
            for k in (None, 3):
                A.product(k)
                A.sampled(k)


@every_type
def test_every_number_of_columns(scalar, index):
    lengths = np.random.default_rng(0).permutation(np.repeat(np.arange(41), 2))
    A = Checked(with_row_lengths(lengths), scalar, index)
    for k in range(71):
        A.product(k)
        A.sampled(k)


@every_type
def test_rows_shared_among_threads(scalar, index):
    """Enough work for three pieces, whose borders fall within groups of 64 rows."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        for lengths in ([31] * 3200, np.arange(5000) % 41):
            A = Checked(with_row_lengths(lengths), scalar, index)
            for k in (None, 5):
                A.product(k)
                A.sampled(k)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("rows", [0, 1, 64, 65])
def test_nothing_stored(rows):
    A = Checked(with_row_lengths([0] * rows), torch.float64, torch.int32)
    for k in (None, 0, 1, 7):
        A.product(k)
        A.sampled(k)


# -- the sanitizer itself -------------------------------------------------------------------

# The operators trust the integers, which dtpinn.CSR has checked: wrong ones, given to them
# directly, are accesses out of bounds to order. Each happens in a process forked for it.
PROGRAM = """
import os, sys
import torch, dtpinn

n = 32
entries = torch.arange(n).int()
starts = torch.arange(n + 1).int()

def access(name, k, crow, last):
    crow, col = torch.tensor(crow).int(), entries.clone()
    col[-1] = last
    columns = () if k is None else (k,)
    x, y = torch.ones(n, *columns), torch.ones(len(crow) - 1, *columns)
    if name == "sampled":
        torch.ops.dtpinn.csr_sampled(crow, col, starts, entries, entries, y, x)
    else:
        torch.ops.dtpinn.csr_product(crow, col, torch.ones(n), starts, entries, None, entries, x)

for name in ("product", "sampled"):
    for k in (None, 1, 2, 25):
        for what, crow, last in {wrong}:
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                os.dup2(write, 2)
                access(name, k, crow, last)
                os._exit(0)
            os.close(write)
            report = os.fdopen(read).read()
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            caught = status != 0 and "AddressSanitizer" in report and " of size " in report
            print(name, k, what, "caught" if caught and "_C." in report else "missed")
"""
WRONG = [
    ("nothing", [0, 32], 31),
    ("x", [0, 32], 32),  # a column past the end of x
    ("entries", [0, 33, 32], 31),  # a row that goes on past the last entry
]


def test_the_sanitizer_that_was_asked_for_is_in_the_build():
    """`.ci/sanitized` asks; without its extension all of this would pass and prove nothing."""
    built, asked = _C.build_info()["sanitize"], os.environ.get("DTPINN_SANITIZE")
    assert sorted((built or "").split(",")) == sorted((asked or "").split(","))


@pytest.mark.skipif(
    "address" not in (_C.build_info()["sanitize"] or ""), reason="needs a build by .ci/sanitized"
)
def test_accesses_out_of_bounds_end_the_process():
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(wrong=WRONG)],
        env={**os.environ, "ASAN_OPTIONS": os.environ["ASAN_OPTIONS"] + ":symbolize=0"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    outcomes = [line.rsplit(" ", 1) for line in run.stdout.splitlines()]
    assert len(outcomes) == 2 * 4 * len(WRONG)
    for case, outcome in outcomes:
        assert outcome == ("missed" if case.endswith("nothing") else "caught"), case
