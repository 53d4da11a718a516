"""The kernels of csrc/cuda, executed on the CPU from their own source, against SciPy.

Under AddressSanitizer and UndefinedBehaviorSanitizer, which watch bounds and overflow, and under
ThreadSanitizer, for which two threads of a grid are in order only where CUDA says so.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cuda.battery import FALLIBLE, case, cases, check, check_errors, with_row_lengths
from tests.cuda.simulator import Case, Device
from tests.cuda.toolchain import BUILDS

TYPES = [(scalar, index) for scalar in (np.float64, np.float32) for index in (np.int32, np.int64)]
# Between them both precisions and both sizes of indices.
USUAL = (TYPES[0], TYPES[3])
WAYS = [
    pytest.param(
        build, *types, marks=() if build == "plain" and types in USUAL else pytest.mark.full
    )
    for build in BUILDS
    for types in (TYPES if build == "plain" else USUAL)
]


@pytest.mark.parametrize(("build", "scalar", "index"), WAYS)
@pytest.mark.parametrize("kernel", ["vector", "columns", "sampled"])
def test_right_in_every_order_of_the_threads(simulators, kernel, build, scalar, index):
    """Every launch of `battery`; a failure names the case."""
    simulator, failed = simulators(build), []
    for name, one in cases(index).items():
        if name.startswith(kernel):
            try:
                check(simulator, one, scalar, index)
            except Exception as error:
                failed.append(f"{name}: {error}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("name", FALLIBLE)
def test_what_cuda_says_is_returned_and_nothing_is_launched_after_it(simulators, name):
    check_errors(simulators("plain"), cases(np.int32)[name], np.float64, np.int32)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_small_matrix_on_any_small_device(simulators, data):
    lengths = data.draw(st.lists(st.integers(0, 80), max_size=14))
    k = data.draw(st.integers(0, 70))
    sampled = data.draw(st.booleans())
    permuted = not sampled and data.draw(st.booleans())
    size, threads = st.integers(1, 3), st.sampled_from([1, 64, 512, 2048])
    device = Device(*(data.draw(kind) for kind in (size, threads, size, size)))
    matrix = with_row_lengths(lengths, columns=data.draw(st.integers(1, 60)))
    one = case(matrix, k, sampled=sampled, permuted=permuted, device=device)
    check(simulators("plain"), one, *data.draw(st.sampled_from(TYPES)))


@pytest.mark.parametrize("scalar", [np.float64, np.float32])
@pytest.mark.parametrize("k", [1, 2, 25])
def test_multiply_and_add_round_once(simulators, k, scalar):
    """(1 + e)^2 - fl((1 + e)^2) = e^2: a rounded product would leave nothing of it.

    Both entries are the first thread's: 32 entries apart, however many share the row.
    """
    e = np.finfo(scalar).eps
    matrix = with_row_lengths([33], columns=33)
    matrix.indices[:] = np.arange(33)
    matrix.data[:] = 0
    x = np.ones((33, k))
    matrix.data[0], matrix.data[32], x[32] = -(1 + 2 * e), 1 + e, 1 + e
    got = simulators("plain").run(Case(matrix, x), scalar, np.int32)
    assert np.all(got == float(e) ** 2)
