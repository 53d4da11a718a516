"""The product against SciPy, to the round-off that a sum of that length can have."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import dtpinn
from dtpinn import _C
from tests.marks import mostly_full
from tests.sparse.matrices import MATRICES, magnitude, uneven

# 1 and 2: vectors; 3..9 straddle every register width; 25: the slices of the heat equation.
COLUMNS = [None, 0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 25, 32, 33, 70]


def operand(rng, rows, k, dtype=np.float64):
    return rng.standard_normal((rows,) if k is None else (rows, k)).astype(dtype)


def assert_product(got: torch.Tensor, matrix, x: np.ndarray) -> None:
    """|y - A x| <= (n + 1) eps |A| |x| for each row: the bound for any order of summation, with
    or without fma, n the longest row (Higham, Accuracy and Stability, section 3.1; doubled, since
    SciPy's own sum errs as well)."""
    wanted = matrix @ x
    longest = int(np.diff(matrix.indptr).max(initial=0))
    bound = 2 * (longest + 1) * np.finfo(x.dtype).eps * (magnitude(matrix) @ np.abs(x))
    assert got.shape == wanted.shape
    assert np.all(np.abs(got.numpy() - wanted) <= bound)


@pytest.mark.parametrize("name", MATRICES)
def test_product_and_transpose_agree_with_scipy(name, rng):
    matrix = MATRICES[name]
    A = dtpinn.CSR.from_scipy(matrix)
    for k in COLUMNS:
        x, y = operand(rng, matrix.shape[1], k), operand(rng, matrix.shape[0], k)
        assert_product(A @ torch.from_numpy(x), matrix, x)
        assert_product(A.T @ torch.from_numpy(y), matrix.T.tocsr(), y)
        assert torch.equal(A(torch.from_numpy(x)), A @ torch.from_numpy(x))
        assert torch.equal(A.T(torch.from_numpy(y)), A.T @ torch.from_numpy(y))


@pytest.mark.parametrize("k", [None, 3, 25])
def test_single_precision(k, rng):
    matrix = MATRICES["dense row"].astype(np.float32)
    A = dtpinn.CSR.from_scipy(matrix)
    x = operand(rng, matrix.shape[1], k, np.float32)
    assert A.dtype == torch.float32
    assert_product(A @ torch.from_numpy(x), matrix, x)


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("k", [None, 4])
def test_the_transpose_is_the_adjoint(name, k, rng):
    """<A x, y> = <x, A' y>. Both sides sum the same products in another order, so they differ by
    at most (terms) eps sum |y_i| |a_ij| |x_j|."""
    matrix = MATRICES[name]
    A = dtpinn.CSR.from_scipy(matrix)
    x, y = operand(rng, matrix.shape[1], k), operand(rng, matrix.shape[0], k)
    left = float(((A @ torch.from_numpy(x)) * torch.from_numpy(y)).sum())
    right = float((torch.from_numpy(x) * (A.T @ torch.from_numpy(y))).sum())
    terms = (matrix.nnz + sum(matrix.shape)) * (k or 1)
    size = float(np.sum(np.abs(y) * (magnitude(matrix) @ np.abs(x))))
    assert abs(left - right) <= 2 * terms * np.finfo(float).eps * size


@pytest.mark.parametrize("k", [None, 25])
def test_the_number_of_threads_changes_no_bit(k, rng):
    # Large enough that the work is split, and one heavy row so that the pieces are uneven.
    matrix = uneven(9000, 60_000)
    A = dtpinn.CSR.from_scipy(matrix)
    x = torch.from_numpy(operand(rng, 200, k))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = A @ x, A.T @ (A @ x)
        for threads in (2, 3, 7):
            torch.set_num_threads(threads)
            assert torch.equal(A @ x, alone[0])
            assert torch.equal(A.T @ (A @ x), alone[1])
        assert_product(alone[0], matrix, x.numpy())
    finally:
        torch.set_num_threads(before)


def test_asking_ahead_for_entries_changes_no_bit(rng):
    """One thread has more entries than caches hold, and asks for them ahead; none of seven does."""
    lengths = np.concatenate([np.full(20_000, 31), rng.integers(0, 60, 6000)])
    crow = np.concatenate([[0], np.cumsum(lengths)])
    col = rng.integers(0, 700, crow[-1])
    matrix = sp.csr_array((rng.standard_normal(crow[-1]), col, crow), shape=(len(lengths), 700))
    assert 12 * matrix.nnz > 8 << 20
    A, x = dtpinn.CSR.from_scipy(matrix), torch.from_numpy(operand(rng, 700, None))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = A @ x
        torch.set_num_threads(7)
        assert torch.equal(A @ x, alone)
    finally:
        torch.set_num_threads(before)
    assert_product(alone, matrix, x.numpy())


@pytest.mark.parametrize("k", [None, 2, 3, 4, 7, 8, 25])
def test_int32_and_int64_indices_give_the_same_bits(k, rng):
    matrix = MATRICES["random"]
    crow, col = torch.tensor(matrix.indptr), torch.tensor(matrix.indices)
    values, x = torch.tensor(matrix.data), torch.from_numpy(operand(rng, matrix.shape[1], k))
    short = dtpinn.CSR(crow.int(), col.int(), values, matrix.shape)
    long = dtpinn.CSR(crow.long(), col.long(), values, matrix.shape)
    assert torch.equal(short @ x, long @ x)
    assert long.col.dtype == torch.int32  # they fit, so they are stored small
    b = short._buffers
    indices = [b[name].long() for name in ("crow", "col", "crow_t", "col_t", "perm")]
    raw = torch.ops.dtpinn.csr_product(
        indices[0], indices[1], values, indices[2], indices[3], None, indices[4], x
    )
    assert torch.equal(raw, short @ x)


def test_strided_and_expanded_operands(rng):
    matrix = MATRICES["random"]
    A = dtpinn.CSR.from_scipy(matrix)
    n = matrix.shape[1]
    wide = torch.from_numpy(rng.standard_normal((5, n)))
    assert torch.equal(A @ wide.T, A @ wide.T.contiguous())
    assert torch.equal(A @ wide[2], A @ wide[2].clone())
    assert torch.equal(A @ wide.T[:, ::2], A @ wide.T[:, ::2].contiguous())
    row = wide[0][:, None].expand(n, 3)
    assert torch.equal(A @ row, A @ row.contiguous())


CAPABILITIES = ["default", "avx2", "avx512"]  # ATEN_CPU_CAPABILITY, each above the last


def test_the_instruction_set_is_no_better_than_was_asked_for():
    """The test below runs this one too, in processes that ask for each."""
    asked = os.environ.get("ATEN_CPU_CAPABILITY", CAPABILITIES[-1])
    used = _C.instruction_set().replace("baseline", "default")
    assert CAPABILITIES.index(used) <= CAPABILITIES.index(asked)
    reported = torch.backends.cpu.get_cpu_capability().lower()
    if "ATEN_CPU_CAPABILITY" not in os.environ and reported in CAPABILITIES:
        assert used == reported


# With each way of loading x that it has (test_loading.py: they give the same bits).
RUNS = [("default", "scalar"), *itertools.product(CAPABILITIES[1:], ("scalar", "gather"))]


@pytest.mark.parametrize(("capability", "way"), mostly_full(RUNS, {RUNS[0]}.__contains__))
def test_every_instruction_set_agrees_with_scipy(capability, way):
    """The same file again, in a process that may use no more than this instruction set."""
    if os.environ.get("ATEN_CPU_CAPABILITY"):
        pytest.skip("already inside one of these runs")
    best = torch.backends.cpu.get_cpu_capability().lower()
    if best in CAPABILITIES and CAPABILITIES.index(capability) > CAPABILITIES.index(best):
        pytest.skip(f"this processor has no {capability}")
    if capability == best and set(_C.loads().values()) == {way}:
        return  # the tests above ran with it
    selection = ["-k", "scipy or single or bits or asked", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", __file__, *selection],
        env={**os.environ, "ATEN_CPU_CAPABILITY": capability, "DTPINN_LOADS": way},
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-2000:]
