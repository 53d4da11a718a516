"""What nvcc makes of the kernels, run by an interpreter of our own and compared with SciPy.

No GPU and no C++ compiler's opinion of the sources takes part: this is the code that a driver would
translate. Grids are mostly too small for the matrix, so that every loop turns more than once.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp

from tests.cuda import toolkit
from tests.cuda.ptx_fault import Fault
from tests.cuda.ptx_launch import (
    INDICES,
    SCALARS,
    Before,
    Key,
    Shape,
    compile_ptx,
    entry,
    kernels,
    launch,
)
from tests.cuda.ptx_parser import Kernel

NEWEST, OLDER = 120, [75, 90]
WIDTHS = {
    "csr_product_vector": [(4,), (8,), (16,), (32,)],  # threads per row
    "csr_product_columns": [(2,), (4,), (8,), (16,), (32,)],  # columns at a time
    "csr_sampled": [  # threads per row, per entry
        *((each, 1) for each in (4, 8, 16, 32)), *((32, each) for each in (2, 4, 8, 16, 32)),
    ],
}  # fmt: skip
KEYS = [
    Key(name, widths, scalar, index)
    for name in WIDTHS
    for widths in WIDTHS[name]
    for scalar in SCALARS
    for index in INDICES
]
# Every second width in the usual types, and one of each kernel in the others: the code of others
# differs in sizes.
SOME_TYPES, OTHER_TYPES = ("d", "i"), ("f", "l")
USUAL = {
    key
    for key in KEYS
    if (key[2:] == SOME_TYPES and WIDTHS[key.name].index(key.widths) % 2 == 0)
    or key[1:] == (WIDTHS[key.name][-1], *OTHER_TYPES)
}
each_key = pytest.mark.parametrize(
    "key", [pytest.param(key, marks=() if key in USUAL else pytest.mark.full) for key in KEYS],
    ids=lambda key: f"{key.name}<{', '.join(map(str, key.widths))}, {key.scalar}, {key.index}>",
)  # fmt: skip


def rows_of(lengths: list[int], columns: int) -> sp.csr_array:
    rng = np.random.default_rng(3)
    col = np.concatenate([rng.permutation(columns)[:length] for length in lengths])
    crow = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.standard_normal(len(col))
    return sp.csr_array((values, col, crow), shape=(len(lengths), columns))


# Around every width and the 32 entries that are staged at once; empty rows; columns all taken.
LENGTHS = [0, 1, 31, 32, 33, 70, 2, 0, 3, 4, 5, 7, 8, 9, 15, 17, 0, 64, 6, 0, 1, 12, 0]
ROWS = rows_of(LENGTHS, 70)
# For the code that is unrolled: several turns and every remainder, however many threads share.
LONG_ROWS = rows_of([*LENGTHS, 700, 127, 0, 100, 256], 700)
SMALL = [sp.csr_array(np.array([[2.5]])), sp.csr_array((5, 3))]


@pytest.fixture(scope="module")
def ptx(tmp_path_factory):
    """Architecture -> the PTX of all sources."""
    nvcc = toolkit.find("nvcc")
    if nvcc is None:
        pytest.skip(toolkit.MISSING.format("nvcc"))
    asked = [nvcc, "--list-gpu-arch"]
    known = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()

    @cache
    def text(architecture: int) -> str:
        if f"compute_{architecture}" not in known:
            pytest.skip(f"{nvcc} does not compile for sm_{architecture}")
        return compile_ptx(nvcc, [architecture], tmp_path_factory.mktemp("ptx"))[architecture]

    return text


@pytest.fixture(scope="module", params=[[NEWEST], pytest.param(OLDER, marks=pytest.mark.full)],
                ids=str)  # fmt: skip
def compiled(request, ptx) -> dict[int, dict[Key, Kernel]]:
    return {architecture: kernels(ptx(architecture)) for architecture in request.param}


@pytest.fixture
def variants(compiled):
    """The different codes of a kernel: architectures often share one."""

    def look_up(key: Key) -> list[Kernel]:
        every = [each[key] for each in compiled.values()]
        return [*{tuple(step.text for step in each.code): each for each in every}.values()]

    return look_up


def test_every_kernel_is_among_those_tested(compiled):
    for architecture, each in compiled.items():
        assert sorted(each) == sorted(KEYS), architecture


def check_product(kernel, key, matrix, k, shape, permuted=False):
    """|y - A x| <= n eps |A| |x|, n the length of the row: any order, with fma (Higham, 3.1)."""
    rng = np.random.default_rng(k)
    scalar = SCALARS[key.scalar]
    matrix = matrix.astype(scalar)
    x = rng.standard_normal((matrix.shape[1], k)).astype(scalar)
    operands, stored = {"x": x}, matrix
    if permuted:
        operands["perm"] = rng.permutation(matrix.nnz)
        values = np.empty_like(matrix.data)
        values[operands["perm"]] = matrix.data
        stored = sp.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    got = launch(kernel, key, stored, operands, k, shape).reshape(-1, k)
    wanted = matrix.astype(np.longdouble) @ x.astype(np.longdouble)
    lengths = np.diff(matrix.indptr)[:, None]
    bound = lengths * np.finfo(scalar).eps * (abs(matrix) @ np.abs(x))
    assert np.all(np.abs(got - wanted) <= bound)


def check_sampled(kernel, key, matrix, k, shape):
    """|out - <y_i, x_j>| <= k eps <|y_i|, |x_j|>."""
    rng = np.random.default_rng(k)
    scalar = SCALARS[key.scalar]
    y, x = (rng.standard_normal((size, k)).astype(scalar) for size in matrix.shape)
    got = launch(kernel, key, matrix, {"x": x, "y": y}, k, shape)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    terms = y[rows].astype(np.longdouble) * x[matrix.indices].astype(np.longdouble)
    bound = k * np.finfo(scalar).eps * np.abs(terms).sum(axis=1)
    assert np.all(np.abs(got - terms.sum(axis=1)) <= bound)


def examine_vector(kernel, key):
    check_product(kernel, key, LONG_ROWS, 1, Shape((1, 1), 64))
    check_product(kernel, key, LONG_ROWS, 1, Shape((3, 1), 32), permuted=True)
    check_product(kernel, key, ROWS, 1, Shape((9, 1), 128))
    for matrix in SMALL:
        check_product(kernel, key, matrix, 1, Shape((1, 1), 64))


def examine_columns(kernel, key):
    (tile,) = key.widths
    few = rows_of([0, 3, 35, 1, 0], 35)
    check_product(kernel, key, ROWS, 2 * tile + 1, Shape((3, 2), 64), permuted=True)
    check_product(kernel, key, ROWS, tile + 1, Shape((3, 2), 64))
    for matrix in SMALL:
        check_product(kernel, key, matrix, tile + 1, Shape((1, 1), 64))
    if key[2:] == SOME_TYPES:
        for k in sorted({1, 2, tile - 1, tile, 25, 33}):
            check_product(kernel, key, few, k, Shape((1, 1 + k % 3), 64), permuted=k == 25)


def examine_sampled(kernel, key):
    per_entry = key.widths[1]
    few = rows_of([0, 3, 32 // per_entry + 3, 1, 0], 35)
    check_sampled(kernel, key, few, 31 * per_entry, Shape((1, 1), 32))
    check_sampled(kernel, key, LONG_ROWS if per_entry == 1 else few, 0, Shape((5, 1), 64))
    check_sampled(kernel, key, ROWS, per_entry + 1, Shape((3, 1), 96))
    for matrix in SMALL:
        check_sampled(kernel, key, matrix, per_entry + 1, Shape((1, 1), 64))
    if key[2:] == SOME_TYPES:
        for k in (1, 2, per_entry - 1, per_entry, 25):
            check_sampled(kernel, key, few, k, Shape((1, 1), 64))


EXAMINE = {
    "csr_product_vector": examine_vector,
    "csr_product_columns": examine_columns,
    "csr_sampled": examine_sampled,
}


@each_key
def test_results_are_scipys_and_the_code_has_run(variants, key):
    for kernel in variants(key):
        EXAMINE[key.name](kernel, key)
        missed = [f"line {each.line}: {each.text}" for each in kernel.never_executed()]
        assert len(missed) <= len(kernel.code) // 20, missed


@each_key
def test_sizes_beyond_32_bits(variants, key):
    """The last entry of a matrix that no memory could hold: row 2**31, column 2**30, column 2**20
    of the operands; with int64 indices column 2**33 and entry 2**33 as well."""
    columns = key.name == "csr_product_columns"
    row, wide = 2**31, key.index == "l"
    block = row * (32 if columns else key.widths[0]) // 128
    k = {"csr_product_vector": 1, "csr_product_columns": 2**20 + 3, "csr_sampled": 3}[key.name]
    tiles = -(-k // key.widths[0]) if columns else 1
    before = Before(
        rows=row,
        columns=2**33 if wide else 2**30,
        entries=2**33 if wide else 2**31 - 2,
        operand_columns=(tiles - 1) * key.widths[0] if columns else 0,
    )
    # A multiple of 2**32 threads along x: in 32 bits, there would be none.
    grid = (-(-(block + 1) // 2**25) * 2**25, tiles)
    shape = Shape(grid, 128, (block + (tiles - 1) * grid[0],))
    x = np.arange(2.0, 2.0 + k - before.operand_columns)
    operands, wanted = {"x": x}, 3 * x
    if key.name == "csr_sampled":
        operands["y"], wanted = np.array([1.0, -1.0, 5.0]), np.array([2.0 - 3.0 + 20.0])
    for kernel in variants(key):
        got = launch(kernel, key, sp.csr_array(np.array([[3.0]])), operands, k, shape, before)
        assert got.tolist() == wanted.tolist()


# Of each kind of kernel one.
EXAMPLES = [("csr_product_vector", (8,)), ("csr_product_columns", (8,)), ("csr_sampled", (32, 4))]
# What one instruction becomes.
MUTATIONS = {
    "a branch the other way": (r"@(!?)(%p\d+) bra", lambda m: f"@{'' if m[1] else '!'}{m[2]} bra"),
    "a shuffle from elsewhere": (r"(shfl.*), \d+, (\d+), -1;", r"\1, 3, \2, -1;"),
    "a shuffle that forgets the width": (r"(shfl.*), (\d+), \d+, -1;", r"\1, \2, 0, -1;"),
    "a shuffle of half a warp": (r"(shfl.*), -1;", r"\1, 65535;"),
    "no barrier": (r"bar\.warp\.sync\s+-1;", ""),
    "a load from the next place": (
        r"(ld\.(?:global|shared)[^]+]*)(?:\+(-?\d+))?\]",
        lambda m: f"{m[1]}+{int(m[2] or 0) + 8}]",
    ),
    "a sum that starts again": (r"fma\.rn\.f64 (.*), .*, .*;", r"mov.f64 \1;"),
}
# One for each kind of kernel wherever tests run; all of them where all is run.
SOME_MUTANTS = {
    ("csr_product_vector", "a shuffle that forgets the width"),
    ("csr_product_columns", "no barrier"),
    ("csr_sampled", "a load from the next place"),
}
MUTANTS = [
    pytest.param(
        Key(name, widths, *SOME_TYPES), mutation, id=f"{mutation} in {name}",
        marks=() if (name, mutation) in SOME_MUTANTS else pytest.mark.full,
    )
    for name, widths in EXAMPLES
    for mutation in MUTATIONS
    if name == "csr_product_columns" or mutation != "no barrier"
]  # fmt: skip


@pytest.mark.parametrize(("key", "mutation"), MUTANTS)
def test_a_changed_instruction_is_caught(ptx, key, mutation):
    """At four places spread over each kernel, to save time; no other survives either."""
    pattern, replacement = MUTATIONS[mutation]
    text = entry(ptx(NEWEST), key)
    places = [match.start() for match in re.finditer(pattern, text)]
    assert places
    for place in places[:: -(-len(places) // 4)]:
        mutant = text[:place] + re.sub(pattern, replacement, text[place:], count=1)
        with pytest.raises((AssertionError, Fault)):
            EXAMINE[key.name](kernels(mutant)[key], key)
