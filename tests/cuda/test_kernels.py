"""The kernels of csrc/cuda, executed on the CPU from their own source, against SciPy.

Under AddressSanitizer and UndefinedBehaviorSanitizer, which watch bounds and overflow, and under
ThreadSanitizer, for which two threads of a grid are in order only where CUDA says so.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cuda.battery import case, cases, check, with_row_lengths
from tests.cuda.simulator import Case, Device
from tests.cuda.toolchain import BUILDS

TYPES = [(scalar, index) for scalar in (np.float64, np.float32) for index in (np.int32, np.int64)]
every_type = pytest.mark.parametrize(("scalar", "index"), TYPES, ids=lambda t: t.__name__)


@every_type
@pytest.mark.parametrize("name", cases(np.int64))
@pytest.mark.parametrize("build", BUILDS)
def test_right_in_every_order_of_the_threads(simulators, build, name, scalar, index):
    check(simulators(build), cases(index)[name], scalar, index)


@settings(max_examples=60, deadline=None)
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


@every_type
@pytest.mark.parametrize("k", [1, 2, 25])
def test_multiply_and_add_round_once(simulators, k, scalar, index):
    """(1 + e)^2 - fl((1 + e)^2) = e^2: a rounded product would leave nothing of it.

    Both entries are the first thread's: 32 entries apart, however many share the row.
    """
    e = np.finfo(scalar).eps
    matrix = with_row_lengths([33], columns=33)
    matrix.indices[:] = np.arange(33)
    matrix.data[:] = 0
    x = np.ones((33, k))
    matrix.data[0], matrix.data[32], x[32] = -(1 + 2 * e), 1 + e, 1 + e
    got = simulators("plain").run(Case(matrix, x), scalar, index)
    assert np.all(got == float(e) ** 2)


@pytest.mark.parametrize("k", [1, 3, 25])
def test_repeated_launches_give_the_same_bits(simulators, k):
    one = case(with_row_lengths([31] * 40), k)
    runs = {
        simulators("plain").run(one, np.float64, np.int32, "random", seed).tobytes()
        for seed in range(5)
    }
    assert len(runs) == 1
