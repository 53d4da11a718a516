"""A few lines of PTX in a kernel of their own, for the tests of the interpreter."""

from __future__ import annotations

import struct

import numpy as np

from tests.cuda.ptx_arithmetic import DTYPES
from tests.cuda.ptx_machine import Run
from tests.cuda.ptx_memory import Memory
from tests.cuda.ptx_parser import parse

# %rd1: this thread's 16 bytes of the output, %rd2: the input, %r1: its number in the grid.
FRAME = """
.visible .entry f(
	.param .align 8 .b8 f_param_0[16],
	.param .u64 .ptr .align 1 f_param_1
)
{{
	.shared .align 8 .b8 chunk[256];
	.reg .pred 	%p<9>;
	.reg .b32 	%r<19>;
	.reg .f32 	%f<9>;
	.reg .b64 	%rd<19>;
	.reg .f64 	%fd<9>;

	ld.param.u64 	%rd3, [f_param_0+8];
	ld.param.u64 	%rd2, [f_param_1];
	cvta.to.global.u64 	%rd2, %rd2;
	mov.u32 	%r2, %tid.x;
	mov.u32 	%r3, %ntid.x;
	mov.u32 	%r4, %ctaid.x;
	mad.lo.s32 	%r1, %r4, %r3, %r2;
	mul.wide.u32 	%rd4, %r1, 16;
	add.s64 	%rd1, %rd3, %rd4;
{body}
	ret;
}}
"""
REGISTERS = {"u32": "%r", "s32": "%r", "u64": "%rd", "s64": "%rd", "f32": "%f", "f64": "%fd"}
FORMATS = {"u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f", "f64": "d"}


def run(
    body: str,
    given: bytes = b"",
    threads: int = 32,
    grid: tuple[int, int] = (1, 1),
    kind: str = "u64",
    blocks: list[int] | None = None,
    limit: int = 1000,
) -> np.ndarray:
    """What each thread that runs left in the first item of its output, as PTX's type `kind`."""
    kernel = parse(FRAME.format(body=body))["f"]
    count = threads * (grid[0] * grid[1] if blocks is None else len(blocks))
    inputs = {"given": np.frombuffer(given or bytes(8), np.uint8)}
    memory = Memory.holding(inputs, {"out": 16 * count})
    addresses = struct.pack("<QQQ", 0, memory.address["out"], memory.address["given"])
    Run(kernel, [addresses[:16], addresses[16:]], grid, threads, memory, blocks).finish(limit)
    return memory.array("out", DTYPES[kind])[:: 16 // DTYPES[kind].itemsize]


def evaluate(opcode: str, types: list[str], values: list[float], kind: str) -> float:
    """One instruction on operands that come from memory."""
    lines, given = [], b""
    for i, (each, value) in enumerate(zip(types, values, strict=True)):
        lines.append(f"ld.global.nc.{each} {REGISTERS[each]}{5 + i}, [%rd2+{len(given)}];")
        given += struct.pack("<" + FORMATS[each], value).ljust(8, b"\0")
    operands = ", ".join(f"{REGISTERS[each]}{5 + i}" for i, each in enumerate(types))
    lines.append(f"{opcode} {REGISTERS[kind]}8, {operands};")
    lines.append(f"st.global.{kind} [%rd1], {REGISTERS[kind]}8;")
    return run("\n".join(lines), given, kind=kind)[7].item()
