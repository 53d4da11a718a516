"""The rules of csrc/cuda/launch_shape.h, which know no CUDA: called from Python through ctypes."""

from __future__ import annotations

import ctypes
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cuda.battery import MATRICES, STAGED, WIDTHS, case
from tests.cuda.simulator import Device
from tests.cuda.toolchain import COMPILER, KERNELS, compile_checked

SOURCE = f"""
#include "{KERNELS.parent / "launch_shape.h"}"
using dtpinn::DeviceLimits;
using Number = std::int64_t;
extern "C" {{
Number per_row(Number length, Number rows, DeviceLimits device) {{
    return dtpinn::threads_per_row(length, rows, device);
}}
Number tile(Number k) {{ return dtpinn::column_tile(k); }}
Number per_entry(Number k) {{ return dtpinn::threads_per_entry(k); }}
Number blocks(Number warps, int per_block, DeviceLimits device) {{
    return dtpinn::blocks_for(warps, per_block, device);
}}
Number along_columns(Number rows, Number tiles, DeviceLimits device) {{
    return dtpinn::blocks_along_columns(rows, tiles, device);
}}
}}
"""


class Limits(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("resident_threads", "blocks_x", "blocks_y")]


def limits(device: Device) -> Limits:
    resident = device.multiprocessors * device.threads_per_multiprocessor
    return Limits(resident, device.grid_x, device.grid_y)


H100 = limits(Device(132, 2048, 2**31 - 1, 65535))
LAPTOP = limits(Device(16, 1536, 2**31 - 1, 65535))
devices = st.builds(
    lambda *sizes: limits(Device(*sizes)),
    st.integers(1, 200), st.integers(1, 4096), st.integers(1, 2**31 - 1), st.integers(1, 65535),
)  # fmt: skip
sizes = st.one_of(st.integers(1, 300), st.integers(1, 2**40))


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    if shutil.which(COMPILER) is None:
        pytest.skip(f"no {COMPILER} on this machine")
    place = tmp_path_factory.mktemp("launch_shape")
    (place / "rules.cpp").write_text(SOURCE)
    compile_checked("-std=c++17", "-shared", "-fPIC", "-o", place / "rules.so", place / "rules.cpp")
    library = ctypes.CDLL(str(place / "rules.so"))
    number = ctypes.c_int64
    for name, arguments in {
        "per_row": [number, number, Limits],
        "tile": [number],
        "per_entry": [number],
        "blocks": [number, ctypes.c_int, Limits],
        "along_columns": [number, number, Limits],
    }.items():
        getattr(library, name).argtypes, getattr(library, name).restype = arguments, number
    return library


@pytest.mark.parametrize(
    ("length", "rows", "device", "threads"),
    [
        (7, 10**6, H100, 4),
        (31, 10**6, H100, 8),  # RBF-FD, order 4, on a device that it fills
        (57, 10**6, H100, 16),
        (500, 10**6, H100, 32),
        (31, 582, H100, 32),  # nowhere near filling it
        (31, 582, LAPTOP, 32),
        (31, 2236, LAPTOP, 8),
        (4, 582, H100, 4),  # more threads than entries are of no use
    ],
)
def test_threads_per_row(rules, length, rows, device, threads):
    assert rules.per_row(length, rows, device) == threads


@given(length=sizes, rows=sizes, device=devices)
def test_a_row_gets_more_threads_only_where_the_device_has_them(rules, length, rows, device):
    full = rules.per_row(length, 2**50, device)  # rows enough for every device
    threads = rules.per_row(length, rows, device)
    assert full in (4, 8, 16, 32)
    assert threads in (4, 8, 16, 32)
    assert threads >= full
    assert threads == full or threads * rows <= device.resident_threads


@given(k=sizes)
def test_a_tile_is_the_smallest_that_holds_all_columns(rules, k):
    tile = rules.tile(k)
    assert tile in (2, 4, 8, 16, 32)
    assert tile >= min(k, 32)
    assert tile == 2 or tile < 2 * k


@given(k=sizes)
def test_threads_of_an_entry_have_about_four_columns_each(rules, k):
    threads = rules.per_entry(k)
    assert threads in (1, 2, 4, 8, 16, 32)
    assert threads == 32 or 4 * threads >= k
    assert threads == 1 or 2 * threads < k


@given(warps=sizes, device=devices)
def test_blocks_hold_all_warps_or_are_all_there_can_be(rules, warps, device):
    blocks = rules.blocks(warps, 4, device)
    assert 1 <= blocks <= device.blocks_x
    assert blocks == device.blocks_x or 4 * (blocks - 1) < warps <= 4 * blocks


@given(rows=sizes, tiles=sizes, device=devices)
def test_blocks_along_columns_fill_the_device_and_no_more(rules, rows, tiles, device):
    blocks = rules.along_columns(rows, tiles, device)
    assert 1 <= blocks <= min(tiles, device.blocks_y)
    assert blocks == 1 or 32 * blocks * rows <= device.resident_threads


@pytest.mark.parametrize(
    ("k", "sampled", "threads", "tile"),
    [(1, False, None, 1), (3, False, 32, 4), (65, False, 32, 32), (1, True, None, 1),
     (25, True, 32, 1)],
)  # fmt: skip
def test_the_launchers_ask_for_what_these_rules_say(simulators, rules, k, sampled, threads, tile):
    """What only costs time shows nowhere else: `threads` a row, None where a rule tells."""
    matrix, device = MATRICES["sub-warps of 8"], Device(2, 700, 2**31 - 1, 65535)
    one = replace(case(matrix, k, sampled=sampled), device=device)
    asked, _ = simulators("plain").launch(one, np.float64, np.int32)
    rows, length = matrix.shape[0], (matrix.nnz - 1) // matrix.shape[0] + 1
    warps = -(-rows * (threads or rules.per_row(length, rows, limits(device))) // 32)
    block = 4 if tile == 1 else 8
    assert asked.threads == 32 * block
    assert asked.grid_x == rules.blocks(warps, block, limits(device))
    along = 1 if tile == 1 else rules.along_columns(rows, -(-k // tile), limits(device))
    assert asked.grid_y == along


@pytest.mark.parametrize("width", WIDTHS)
def test_the_battery_reaches_every_width_and_turns_every_loop_twice(rules, width):
    """Four entries of a thread at a time (kAhead), two blocks of four warps, of eight for many
    columns."""
    assert STAGED.shape[0] > 2 * 8
    matrix = MATRICES[f"sub-warps of {width}"]
    rows, lengths = matrix.shape[0], np.diff(matrix.indptr)
    assert rules.per_row((matrix.nnz - 1) // rows + 1, rows, limits(Device())) == width
    assert rows > 2 * 4 * 32 // width
    assert lengths.max() > 4 * width
