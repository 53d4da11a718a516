"""The simulated GPU itself: what is right runs, what is wrong is reported, in every order."""

from __future__ import annotations

import math
import shutil
from functools import cache

import pytest

from tests.cuda.simulator import MISUSE, ORDERS
from tests.cuda.toolchain import BUILDS, HERE, Unavailable, run

SOURCE = HERE / "shim_kernels.cu"
in_full = pytest.mark.full  # compiles with a sanitizer, or all by nvcc


@pytest.fixture(scope="module")
def scenarios(toolchain):
    """Runs some of `shim_kernels.cu` in one process of one build."""

    @cache
    def program(build: str):
        try:
            return toolchain.program(SOURCE, build, "shim_kernels")
        except Unavailable as why:
            pytest.skip(str(why))

    @cache
    def started(order: str, *names: str, build: str = "plain"):
        return run(*program(build).command, order, *names)

    return started


def shuffled(lane: int, width: int) -> tuple[int, int, int, int]:
    """Whom a lane asks: CUDA C++ Programming Guide, warp shuffle functions."""
    first = lane // width * width
    up = lane - 3 if lane - 3 >= first else lane
    down = lane + 3 if lane + 3 < first + width else lane
    exclusive = lane ^ 6 if (lane ^ 6) < first + width else lane
    return first + 5 % width, up, down, exclusive


def shuffles(width: int) -> list[float]:
    return [shuffled(lane, width)[way] + 0.5 for way in range(4) for lane in range(32)]


ODD = 0xAAAAAAAA
HALVES = [ODD & 0x0000FFFF] * 16 + [ODD & 0xFFFF0000] * 16
RIGHT = {
    "coordinates": [thread + 1 for _ in range(4) for thread in range(12)],
    "shuffles of double, 4": shuffles(4),
    "shuffles of double, 8": shuffles(8),
    "shuffles of double, 16": shuffles(16),
    "shuffles of double, 32": shuffles(32),
    "shuffles of float, 8": shuffles(8),
    "votes": [ODD] * 32 + HALVES + [1] * 16 + [0] * 16 + [0] * 16 + [1] * 16,
    "sum": [64 * 63 / 2] * 3,
    "neighbours in halves": [lane ^ 1 for lane in range(32)],
    "atomic count": [120],
    "count in two launches": [2],
    "fused": [-(2.0**-24)],  # 1 - 2^-24 rounds to 1 where the product is rounded first
    "only some work": [1] * 7 + [0],
    "dynamic memory": [*range(39, -1, -1), 1] * 2,
    "dynamic memory, too much": [0] * 82,
    "invalid launches": [9, 9, 9, 9, 9, 9, 9, 0, 0],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "build", [pytest.param(each, marks=() if each == "plain" else in_full) for each in BUILDS]
)
def test_right_kernels_give_right_numbers(scenarios, build, order):
    ran = scenarios(order, *RIGHT, build=build)
    assert ran.returncode == 0, ran.stderr
    lines = [[float(number) for number in line.split()] for line in ran.stdout.splitlines()]
    assert dict(zip(RIGHT, lines, strict=True)) == RIGHT


WRONG = {
    "barriers in branches": "divergent barrier",
    "barrier after return": "return",
    "warp after return": "return",
    "lane outside of its mask": "a lane outside of its own mask",
    "warp of 16": "the block has no lane 16",
    "other function": "disagrees",
    "other mask": "disagrees",
    "other width": "disagrees",
    "bad width": "the width has to be",
    "source outside of the mask": "outside of the mask",
    "waiting for each other": "deadlock",
    "too many threads": "smaller grid",
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_kernels_are_reported(scenarios, name):
    for order in ORDERS:
        ran = scenarios(order, name)
        assert ran.returncode == MISUSE
        assert WRONG[name] in ran.stderr
        assert "launched at" in ran.stderr


def test_a_report_names_both_threads_and_both_places(scenarios):
    report = scenarios("ascending", "barriers in branches").stderr
    assert "thread 40 (warp 1, lane 8)" in report
    assert "thread 0 (warp 0, lane 0)" in report
    assert report.count("(barriers_in_branches)") == 2
    assert "block (0, 0, 0)" in report


RACES = [
    "sum without barrier",
    "reverse without barrier",
    "reverse with half a barrier",
    "reverse with a shuffle",
    "dynamic memory without barrier",
    "count among threads",
    "count among blocks",
]


@in_full
@pytest.mark.parametrize("name", RACES)
def test_races_are_reported(scenarios, name):
    for order in ORDERS:
        ran = scenarios(order, name, build="thread")
        assert ran.returncode != 0
        assert "ThreadSanitizer: data race" in ran.stderr


@in_full
@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("read past the end", "heap-buffer-overflow"),
        ("write past the end of doubles", "insufficient space for an object"),
        ("write past the end of floats", "insufficient space for an object"),
        ("write before the start", "AddressSanitizer"),
        ("dynamic memory, too little", "heap-buffer-overflow"),
        ("overflow", "signed integer overflow"),
    ],
)
def test_bounds_and_overflow_are_reported(scenarios, name, report):
    ran = scenarios("ascending", name, build="address")
    assert ran.returncode != 0
    assert report in ran.stderr


def test_shared_memory_starts_as_garbage_in_every_block(scenarios):
    found, written = scenarios("ascending", "unwritten shared memory").stdout.split()
    assert math.isnan(float(found))
    assert float(written) == 7


@in_full
def test_nvcc_takes_them_for_cuda(tmp_path):
    """What the shim declares is CUDA's own interface."""
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc on this machine")
    compiled = run("nvcc", "-std=c++17", "-cubin", "-o", tmp_path / "kernels.cubin", SOURCE)
    assert compiled.returncode == 0, compiled.stderr
