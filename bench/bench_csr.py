"""The sparse product against its rivals, with a table of ratios at the end.

    pytest bench/bench_csr.py -q --benchmark-quiet
    pytest bench/bench_csr.py -q --benchmark-quiet -k "N2236 and backward"

Matrices of RBF-FD's structure on the unit disk, Hilbert order, float64. A rival's rounds alternate
with rounds of ours (`interleaved.py`), so that a ratio compares two programs at one moment.
"streaming" is the fastest of three simple kernels over as many bytes as the product must move: its
ratio is the fraction of the memory's speed that ours reaches. SciPy has one thread, and ours beside
it.
"""

from __future__ import annotations

import pytest
import torch
from scipy.sparse import random_array

import dtpinn
from bench import rivals, values_gradient
from bench.interleaved import Comparison, compare, threads
from bench.operands import Operands, stencil_matrix
from bench.ratios import Case, Entry
from bench.rivals import BACKWARD, FORWARD, RIVALS

pytestmark = pytest.mark.filterwarnings("ignore:Sparse:UserWarning")

COUNTS = [582, 2236, 4977, 19638, 100_000, 200_000]
DENSE_UP_TO = 2236  # nodes, 40 MB
IDS = {FORWARD: "forward", BACKWARD: "backward"}


def parameters():
    """Every case with every rival, ordered by matrix so that each is built once."""
    for count in COUNTS:
        for n in (31, 57):
            for operation in IDS:
                for columns in (1, 25):
                    for rival in RIVALS:
                        case = Case(operation, count, n, columns)
                        if makes_sense(case, rival):
                            name = rival.name.replace(" ", "_")
                            label = f"{IDS[operation]}-N{count}-n{n}-{columns}col-{name}"
                            yield pytest.param(case, rival, id=label)


def makes_sense(case, rival):
    if rival.make is rivals.dense and case.count > DENSE_UP_TO:
        return False
    # With many columns x is read from cache again and again: no bound by streaming.
    if rival.make is rivals.streaming and case.columns > 1:
        return False
    return case.operation in rival.operations


@pytest.mark.parametrize(("case", "rival"), list(parameters()))
def test_product(benchmark, entries, case, rival):
    if reason := rival.unavailable():
        pytest.skip(reason)
    matrix = stencil_matrix(case.count, case.n)
    operands = Operands.random(matrix, case.columns, backward=case.operation == BACKWARD)
    if rival.setting == "GPU":
        operands = operands.to("cuda")
    with threads(1 if rival.setting == "1 thread" else torch.get_num_threads()):
        ours, theirs = rivals.ours(operands), rival.make(operands)
        if rival.same_result:
            check_same(ours, theirs)
        comparison = compare(benchmark, ours, theirs)
        record(benchmark, case, operands, comparison, rival=rival.name, call=theirs.__name__)
    if comparison:
        entries.append(Entry(case, matrix.shape[0], rival.name, rival.setting, comparison))


@pytest.mark.parametrize("operation", list(IDS), ids=IDS.get)
def test_overhead(benchmark, remarks, operation):
    """33 rows, where the price is the call itself."""
    matrix = random_array((33, 33), density=0.2, rng=0, format="csr")
    operands = Operands.random(matrix, 1, backward=operation == BACKWARD)
    ours, theirs = rivals.ours(operands), rivals.dense(operands)
    check_same(ours, theirs)
    comparison = compare(benchmark, ours, theirs)
    record(benchmark, Case(operation, 33, 7, 1), operands, comparison, rival="dense")
    if comparison:
        figures = (comparison.ours, comparison.theirs, comparison.difference)
        own, mv, more = (f"{1e6 * seconds:.1f} us" for seconds in figures)
        remarks.append((f"33 rows, {operation}", f"{own}, dense torch.mv {mv}, difference {more}"))


def test_gradient_in_values(benchmark, remarks):
    """Against torch.sparse, which goes through a dense N x N matrix: hence N = 8000 only."""
    matrix = stencil_matrix(8000, 31)
    operands = Operands.random(matrix, 1, backward=True)
    ours, theirs = values_gradient.ours(operands), values_gradient.torch_sparse(operands)
    check_same(ours, theirs)
    comparison = compare(benchmark, ours, theirs)
    case = Case("gradient in the values", 8000, 31, 1)
    record(benchmark, case, operands, comparison, rival="torch int32")
    if comparison:
        own, other = (f"{1e3 * t:.2f} ms" for t in (comparison.ours, comparison.theirs))
        figure = f"{own}, torch int32 {other}, ratio {comparison.ratio:.0f}"
        remarks.append((f"gradient in the values, N = {matrix.shape[0]:,}, n = 31", figure))
    peak = values_gradient.peak_memory(theirs)
    remarks.append(("... peak memory of torch int32", _memory(peak, matrix.nnz)))


@pytest.mark.parametrize("count", [8000, 100_000, 200_000], ids="N{}".format)
def test_memory_of_gradient_in_values(remarks, count):
    matrix = stencil_matrix(count, 31)
    operands = Operands.random(matrix, 1, backward=True)
    peak = values_gradient.peak_memory(values_gradient.ours(operands))
    what = f"... peak memory of ours, N = {matrix.shape[0]:,}"
    remarks.append((what, _memory(peak, matrix.nnz)))


def _memory(peak, nnz):
    return f"{peak / 2**20:.1f} MiB, {peak / nnz:.0f} bytes per entry"


def check_same(ours, theirs):
    """A rival that computes something else is no rival."""
    torch.testing.assert_close(theirs(), ours(), rtol=1e-10, atol=1e-10)


def record(benchmark, case, operands, comparison: Comparison | None, **more):
    """Group by case, and leave in pytest-benchmark's own files what the figures depend on."""
    matrix, x = operands.matrix, operands.x
    benchmark.group = f"{case.operation}, N = {matrix.shape[0]}, n = {case.n}, {case.columns} col"
    benchmark.extra_info.update(
        rows=matrix.shape[0], n=case.n, nnz=matrix.nnz, columns=case.columns,
        dtype=str(x.dtype), device=str(x.device), threads=torch.get_num_threads(),
        instruction_set=dtpinn._C.instruction_set(), torch=torch.__version__, **more,
    )  # fmt: skip
    if comparison:
        benchmark.extra_info.update(
            ours=comparison.ours,
            ratio=comparison.ratio,
            ratio_quartiles=comparison.quartiles,
            quiet=comparison.quiet,
        )
