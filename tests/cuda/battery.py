"""Launches that make every loop of the kernels turn twice, and what has to come out of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import scipy.sparse as sp

from tests.cuda.simulator import ORDERS, Case, Caught, Device, Simulator
from tests.sparse.matrices import magnitude

# Room for more blocks than rows fill: blocks side by side along the columns.
ROOMY = Device(threads_per_multiprocessor=2048)
UNKNOWN = 999  # cudaErrorUnknown, which a call that has to fail returns
CALLS = 6  # of CUDA in a launcher: the device, four of its attributes, the launch

# By the width of the sub-warps that take a row each on the tiny device. More rows than one grid of
# 2 blocks of 4 warps takes at a time, more entries in a row than its threads ask for at a time.
WIDTHS = {
    4: np.arange(70) % 27,
    8: np.arange(37) * 3 % 50,
    16: np.arange(19) * 7 % 101,
    32: [0, 1, 33, 64, 65, 100, 31, 32, 130, 5, 300],  # also around chunks of 32 entries
}


def with_row_lengths(lengths, columns: int = 40) -> sp.csr_array:
    rng = np.random.default_rng(len(lengths))
    crow = np.concatenate([[0], np.cumsum(lengths, dtype=int)])
    col = rng.integers(0, columns, crow[-1]) if columns else np.zeros(0, int)
    # Exact in single precision, so that both precisions are given the same operands.
    data = rng.standard_normal(crow[-1]).astype(np.float32).astype(float)
    return sp.csr_array((data, col, crow), shape=(len(lengths), columns))


# What a kernel may get wrong whatever its width.
SHAPES = {
    "one dense row": with_row_lengths([2] * 17 + [300] + [2] * 13, columns=300),
    "mostly empty rows": with_row_lengths([0] * 40 + [3] + [0] * 29),
    "nothing stored": with_row_lengths([0] * 9),
    "1 x 1": with_row_lengths([1], columns=1),
    "no rows": with_row_lengths([]),
    "no columns": with_row_lengths([0] * 5, columns=0),
}
MATRICES = {f"sub-warps of {width}": with_row_lengths(rows) for width, rows in WIDTHS.items()}
# For many columns: more rows than 2 blocks of 8 warps take at a time, chunks of 32 full and not.
STAGED = with_row_lengths([0, 1, 33, 64, 65, 31, 32, 70, 5, 2, 0, 3, 1, 4, 9, 40, 2, 66, 7])
# Where every entry takes long, or the device is far larger.
SHORT = with_row_lengths([0, 1, 3, 33, 0, 40, 2, 5, 31, 32, 4])
# As many rows as a block takes at once, or a multiple.
LAST = with_row_lengths([0, 1, 3, 33, 0, 40, 2, 5, 31, 32, 4, *[1] * 20, 2])

# A case for each place in the launchers that launches.
FALLIBLE = ("vector, sub-warps of 4", "columns, 3", "sampled, 1", "sampled, 25")


def case(matrix: sp.csr_array, k: int, *, sampled=False, permuted=False, **where) -> Case:
    rng = np.random.default_rng(k)
    rows, columns = matrix.shape

    def operand(n: int) -> np.ndarray:
        return rng.standard_normal((n, k)).astype(np.float32)

    perm = rng.permutation(matrix.nnz) if permuted else None
    return Case(matrix, operand(columns), operand(rows) if sampled else None, perm, **where)


@cache
def cases(index) -> dict[str, Case]:
    """By name: the kernel, and what is new in the case."""
    return dict(_far(index)) | dict(_products()) | dict(_sampled())


def _products() -> Iterator[tuple[str, Case]]:
    for width, (name, matrix) in zip(WIDTHS, MATRICES.items(), strict=True):
        yield f"vector, {name}", case(matrix, 1, permuted=width in (8, 32))
    for name, matrix in SHAPES.items():
        yield f"vector, {name}", case(matrix, 1)
        yield f"columns, 3, {name}", case(matrix, 3)
    # Around each width of a tile, and more than one tile.
    for k in (2, 3, 4, 5, 8, 9, 16, 17, 25, 32, 33, 65):
        yield f"columns, {k}", case(STAGED, k, permuted=k in (2, 25, 65))
    yield "columns, none", case(STAGED, 0)
    for k in (65, 130):
        yield f"columns, {k}, side by side", case(SHORT, k, device=ROOMY)


def _sampled() -> Iterator[tuple[str, Case]]:
    for name, matrix in (MATRICES | SHAPES).items():
        yield f"sampled, 2, {name}", case(matrix, 2, sampled=True)
    # Each number of threads of an entry, with columns enough for one turn and not; two turns.
    for k in (0, 1, 4, 5, 8, 9, 16, 17, 25, 33, 64, 65, 130):
        yield f"sampled, {k}", case(SHORT, k, sampled=True)


def _far(index) -> Iterator[tuple[str, Case]]:
    """Numbers of rows, of entries and of places in x that end or lie beyond those of 32 bits."""
    last = 2**31 - 1 if index == np.int32 else 2**33
    # By kernel: columns, and the rows that a block takes in turn.
    for kernel, k, rows in (
        ("vector", 1, 32), ("columns", 25, 8), ("sampled", 2, 32), ("sampled", 25, 4),
    ):  # fmt: skip
        sampled = kernel == "sampled"
        near = case(LAST, k, sampled=sampled, permuted=not sampled)
        yield f"{kernel}, {k}, far entries", replace(near, first_entry=last - LAST.nnz)
        yield f"{kernel}, {k}, far columns", replace(near, first_column=last - LAST.shape[1])
        # A whole multiple of 2**32 threads, the last of which take these rows.
        first = 2**26 * rows - LAST.shape[0]
        huge = replace(near, first_row=first, first_block=first // rows)
        yield f"{kernel}, {k}, far rows", replace(huge, device=Device(grid_x=2**31 - 1))
    # The last row has fewer entries than threads, whose first ones lie behind the last entry.
    short = case(with_row_lengths([40, 1]), 1)
    yield "vector, 1, a short last row far away", replace(short, first_entry=last - 41)


def expected(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """In double precision; the sum of the absolute values of its terms; the number of them."""
    matrix, x = case.matrix, case.x.astype(float)
    lengths = np.diff(matrix.indptr)
    if case.y is None:
        values = matrix.data if case.perm is None else matrix.data[case.perm]
        matrix = sp.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)
        return matrix @ x, magnitude(matrix) @ np.abs(x), lengths[:, None]
    row = np.repeat(np.arange(len(lengths)), lengths)
    terms = case.y.astype(float)[row] * x[matrix.indices]
    return terms.sum(1), np.abs(terms).sum(1), np.array(x.shape[1])


def check(simulator: Simulator, case: Case, scalar, index) -> None:
    """Right in every order of the threads, and the same bits in all of them.

    Each of n terms goes through at most n roundings of its thread's sum and 5 of the sum over the
    warp, which bounds the error by (n + 5) u sum |a| |b|, u = eps / 2 (Higham, section 3.1); the
    reference adds n u, or less.
    """
    wanted, size, terms = expected(case)
    bound = (terms + 5) * np.finfo(scalar).eps * size
    first = None
    for order in ORDERS:
        got = simulator.run(case, scalar, index, order)
        wrong = ~(np.abs(got - wanted) <= bound)  # NaN is wrong
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise AssertionError(
                f"{order} threads: {wrong.sum()} of {wrong.size} entries are wrong; at {at}, "
                f"{wanted[at]} within {bound[at]:.1e} was expected, {got[at]} came"
            )
        first = got if first is None else first
        if got.tobytes() != first.tobytes():
            raise AssertionError(f"{order} threads give other bits than {ORDERS[0]} ones")


def check_errors(simulator: Simulator, case: Case, scalar, index) -> None:
    """Whichever call of CUDA fails, the launcher returns its error, and launches nothing then."""
    for call in range(1, CALLS + 1):
        launch, _ = simulator.launch(replace(case, failing_call=call), scalar, index)
        if (launch.error, launch.calls, launch.launches) != (UNKNOWN, call, 0):
            raise Caught("error", f"call {call} of CUDA fails, and what comes of it is {launch}")


def caught_by(simulator: Simulator, kernel: str = "") -> str | None:
    """What the first case that fails is caught by: "values" or a Caught.by; None if all pass.

    In the types float64 and int32; of one kernel, if it is named.
    """
    for name, one in cases(np.int32).items():
        if not name.startswith(kernel):
            continue
        try:
            check(simulator, one, np.float64, np.int32)
            if name in FALLIBLE:
                check_errors(simulator, one, np.float64, np.int32)
        except AssertionError:
            return "values"
        except Caught as caught:
            return caught.by
    return None
