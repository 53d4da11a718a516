"""The interpreter of PTX: threads that part, meet and share memory, and what it refuses."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tests.cuda.ptx_fault import Fault
from tests.cuda.ptx_machine import Run
from tests.cuda.ptx_memory import Memory
from tests.cuda.ptx_parser import parse
from tests.cuda.ptx_snippets import FRAME, run

# 1 + ... + n for thread n: each leaves the loop after another number of turns.
TRIANGLE = """
    mov.u32 %r5, 0;
    mov.u32 %r6, 0;
again:
    setp.ge.s32 %p1, %r5, %r1;
    @%p1 bra done;
    add.s32 %r5, %r5, 1;
    add.s32 %r6, %r6, %r5;
    bra.uni again;
done:
"""


def test_threads_leave_a_loop_when_they_are_done():
    got = run(TRIANGLE + "st.global.u32 [%rd1], %r6;", kind="u32")
    assert got.tolist() == [n * (n + 1) // 2 for n in range(32)]


def test_a_loop_without_end_is_reported():
    with pytest.raises(Fault, match="no end after 50 pieces"):
        run("again:\nbra.uni again;", limit=50)


def shuffled(distance, clamp, mask="-1", before=TRIANGLE):
    return run(f"""{before}
    shfl.sync.down.b32 %r7|%p2, %r1, {distance}, {clamp}, {mask};
    selp.b32 %r8, 100, 0, %p2;
    add.s32 %r7, %r7, %r8;
    st.global.u32 [%rd1], %r7;
    """, kind="u32", threads=64)  # fmt: skip


@pytest.mark.parametrize("width", [4, 8, 16, 32])
@pytest.mark.parametrize("distance", [1, 2, 5])
def test_a_shuffle_stays_within_its_part_of_the_warp(width, distance):
    got = shuffled(distance, (32 - width) << 8 | 31)
    lane = np.arange(64)
    inside = lane % width + distance < width
    assert got.tolist() == np.where(inside, 100 + lane + distance, lane).tolist()


def test_halves_of_a_warp_shuffle_on_their_own():
    masks = "and.b32 %r9, %r2, 16;\nsetp.eq.s32 %p3, %r9, 0;\nselp.b32 %r9, 65535, -65536, %p3;"
    lane = np.arange(16)
    got = shuffled(8, 16 << 8 | 31, "%r9", before=masks)[:16]
    assert got.tolist() == np.where(lane < 8, 108 + lane, lane).tolist()


@pytest.mark.parametrize(
    ("before", "mask", "message"),
    [
        ("setp.eq.s32 %p3, %r2, 5;\n@%p3 ret;", "-1", "mask 0xffffffff: lane 5 has exited$"),
        (
            "setp.eq.s32 %p3, %r2, 9;\n@!%p3 bra on;\nbar.warp.sync -1;\nret;\non:",
            "-1",
            "`bar.warp.sync -1;`, thread 9: waits forever.*lane 0 waits at line 28, lane 1 waits",
        ),
        (
            "setp.eq.s32 %p3, %r2, 9;\nselp.b32 %r9, 65535, -1, %p3;",
            "%r9",
            "lane 9 has the mask 0xffff",
        ),
        ("mov.u32 %r9, 65535;", "%r9", "thread 16: is not in its own mask"),
    ],
)
def test_a_collective_that_lacks_a_lane_is_reported(before, mask, message):
    with pytest.raises(Fault, match=message):
        shuffled(1, 31, mask, before)


def test_a_lane_outside_the_mask_cannot_be_read():
    before = "setp.ge.s32 %p3, %r2, 16;\n@%p3 ret;"
    with pytest.raises(Fault, match="thread 15: lane 16, which it reads, is not in its mask"):
        shuffled(1, 31, "65535", before)


# Each thread reads what the last but itself has written.
EXCHANGE = """
    mov.u32 %r10, chunk;
    shl.b32 %r11, %r2, 3;
    add.s32 %r12, %r10, %r11;
    sub.s32 %r13, 31, %r2;
    shl.b32 %r14, %r13, 3;
    add.s32 %r15, %r10, %r14;
    cvt.u64.u32 %rd7, %r1;
    st.shared.u64 [%r12], %rd7;
    bar.warp.sync -1;
    ld.shared.u64 %rd8, [%r15];
    st.global.u64 [%rd1], %rd8;
    bar.warp.sync -1;
    st.shared.u64 [%r12], %rd8;
"""


def test_each_block_has_its_own_shared_memory():
    got = run(EXCHANGE, grid=(3, 1))
    assert got.tolist() == [32 * block + 31 - i for block in range(3) for i in range(32)]


@pytest.mark.parametrize(
    ("which", "message"), [(0, "reads what"), (1, "writes what thread 31 rea")]
)
def test_a_missing_barrier_is_a_race(which, message):
    parts = EXCHANGE.split("bar.warp.sync -1;")
    parts[which] += parts.pop(which + 1)
    with pytest.raises(Fault, match=f"race: {message}"):
        run("bar.warp.sync -1;".join(parts))


def test_a_barrier_of_one_warp_does_not_order_another():
    body = EXCHANGE.replace(
        "shl.b32 %r11, %r2, 3;", "and.b32 %r11, %r2, 31;\nshl.b32 %r11, %r11, 3;"
    )
    with pytest.raises(Fault, match=r"race: writes what thread \d+ writes"):
        run(body, threads=64)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("ld.global.nc.u64 %rd5, [%rd2+8];", "out of bounds: byte 8 of given, of 8"),
        ("ld.global.nc.u64 %rd5, [%rd2+-8];", "out of bounds"),
        ("ld.global.nc.u32 %r5, [%rd2+2];", "4 bytes at 0x.*2 are misaligned"),
        ("ld.global.u64 %rd5, [%rd1+-4];", "out of bounds"),
        ("st.global.u64 [%rd1+16], %rd1;", "thread 31: 8 bytes .* byte 512 of out, of 512"),
        ("ld.shared.v2.u64 {%rd5, %rd6}, [chunk+8];", "16 bytes .* misaligned"),
        ("st.global.u64 [%rd2], %rd1;", "a write to the input given"),
        ("ld.global.nc.u64 %rd5, [%rd1];", "an output is read as a constant"),
        ("st.global.u64 [%rd3], %rd1;", "race: writes what thread 31 writes"),
        ("st.global.u64 [%rd5], %rd1;", "out of bounds"),  # never written
        ("ld.shared.u64 %rd5, [chunk+256];", "byte 256 of chunk, of 256"),
    ],
)
def test_a_wrong_access_is_reported(body, message):
    with pytest.raises(Fault, match=message):
        run(body)


def test_what_nobody_wrote_is_no_number():
    body = "ld.shared.f64 %fd1, [chunk+8];\nst.global.f64 [%rd1+8], %fd1;"
    assert np.isnan(run(body, kind="f64")).all()
    body = "ld.shared.f64 %fd1, [chunk+8];\nst.global.f64 [%rd1], %fd1;"
    assert np.isnan(run(body, kind="f64")).all()


def test_several_words_at_once():
    body = """
    ld.global.nc.v2.u64 {%rd5, %rd6}, [%rd2];
    st.global.v2.u64 [%rd1], {%rd6, %rd5};
    """
    assert run(body, struct.pack("<QQ", 4, 5)).tolist() == [5] * 32


def test_some_blocks_of_a_huge_grid():
    body = """
    mov.u32 %r5, %ctaid.x;
    mov.u32 %r6, %ctaid.y;
    mov.u32 %r7, %nctaid.y;
    mad.lo.s32 %r6, %r6, 1000, %r7;
    mov.b64 %rd5, {%r5, %r6};
    mul.wide.u32 %rd6, %r2, 16;
    add.s64 %rd1, %rd3, %rd6;
    st.global.u64 [%rd1], %rd5;
    """
    last = 2**30 - 1
    got = run(body, grid=(2**30, 7), blocks=[last + 2 * 2**30])
    assert got.tolist() == [(2007 << 32) + last] * 32


@pytest.mark.parametrize(
    "line",
    [
        "atom.global.add.f64 %fd1, [%rd1], %fd2;",
        "red.global.add.f64 [%rd1], %fd2;",
        "ex2.approx.f32 %f1, %f2;",
        "mul.f64 %fd1, %fd2, %fd3;",
        "add.rz.f64 %fd1, %fd2, %fd3;",
        "fma.rn.ftz.f32 %f1, %f2, %f3, %f4;",
        "cvt.rn.f32.f64 %f1, %fd1;",
        "cvt.s64.s16 %rd1, %rd2;",
        "cvt.u64.u32 %r1, %r2;",
        "add.s32 %r1, %rd1, 1;",
        "ld.volatile.global.u64 %rd1, [%rd2];",
        "ld.local.u64 %rd1, [%rd2];",
        "bar.sync 0;",
        "bar.warp.sync 255;",
        "@%p1 bar.warp.sync -1;",
        "shfl.sync.up.b32 %r1, %r2, 1, 0, -1;",
        "setp.lt.and.s32 %p1, %r1, %r2, %p2;",
        "mov.u32 %r1, %laneid;",
        "mov.u32 %rd1, %tid.x;",
        "call.uni trap;",
        ".local .align 8 .b8 stack[16];",
    ],
)
def test_what_is_unknown_is_named(line):
    number = 1 + FRAME.split("{body}")[0].count("\n")
    with pytest.raises(NotImplementedError, match=f"line {number}: "):
        run(line)


def test_arguments_have_the_size_of_the_parameters():
    kernel = parse(FRAME.format(body=""))["f"]
    with pytest.raises(TypeError, match=r"takes parameters of \[16, 8\] bytes, got \[8, 8\]"):
        Run(kernel, [bytes(8), bytes(8)], (1, 1), 32, Memory({}))
