"""Each instruction of a kernel as a function `(run, threads)`: compiled once, run many times.

`run` is the `ptx_machine.Run` under way, `threads` the numbers of the threads that execute the
instruction together. A register holds one item of raw bits per thread, and is seen as the type that
the instruction names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tests.cuda.ptx_arithmetic import DTYPES, operation
from tests.cuda.ptx_fault import Fault
from tests.cuda.ptx_memory import Who
from tests.cuda.ptx_parser import Instruction, Kernel

Read = Callable[[Any, np.ndarray], np.ndarray]
Execute = Callable[[Any, np.ndarray], None]

ADDRESS = re.compile(r"\[([^]+]+)(?:\+(-?\d+))?\]$")
SPECIAL = {f"%{name}.{axis}" for name in ("tid", "ntid", "ctaid", "nctaid") for axis in "xy"}
BARRIER = "bar.warp.sync"
SHUFFLE = "shfl.sync.down"


@dataclass
class Step:
    instruction: Instruction
    execute: Execute | None = None
    guard: Read | None = None  # the predicate
    target: int | None = None  # of a branch
    mask: Read | None = None  # lanes that a collective waits for


@cache
def steps(kernel: Kernel) -> list[Step]:
    """Raises NotImplementedError at the first instruction that is not known."""
    return [_step(kernel, instruction) for instruction in kernel.code]


def _step(kernel: Kernel, instruction: Instruction) -> Step:
    step = Step(instruction)
    head = instruction.head
    if instruction.predicate is not None:
        predicate = _reader(kernel, instruction, instruction.predicate, DTYPES["pred"])
        step.guard = (lambda *at: ~predicate(*at)) if instruction.negated else predicate
    if head in ("bra", "bra.uni"):
        step.target = kernel.labels[instruction.operands[0]]
    elif head == "ret":
        step.target = len(kernel.code)
    elif head in (BARRIER, SHUFFLE):
        partial = head == BARRIER and instruction.operands != ("-1",)
        if step.guard is not None or partial:  # epochs count barriers of whole warps
            raise instruction.unknown()
        step.mask = _reader(kernel, instruction, instruction.operands[-1], DTYPES["b32"])
        step.execute = _barrier if head == BARRIER else _shuffle(kernel, instruction)
    elif head.startswith("ld.param"):
        step.execute = _parameter(kernel, instruction)
    elif head.startswith(("ld.", "st.")):
        step.execute = _memory(kernel, instruction)
    elif head == "cvta.to.global" or (head == "mov" and "{" in instruction.text):
        step.execute = _bits(kernel, instruction)
    else:
        step.execute = _arithmetic(kernel, instruction)
    return step


def _reader(kernel: Kernel, instruction: Instruction, operand: str, dtype: np.dtype) -> Read:
    """An operand as `dtype`: of each thread, or the same for all."""
    if operand in kernel.registers:
        if _width(kernel, operand) != dtype.itemsize:
            raise instruction.unknown()
        return lambda run, threads: run.registers[operand][threads].view(dtype)
    if operand in SPECIAL and dtype.itemsize == 4:
        return lambda run, threads: run.special[operand][threads].view(dtype)
    if operand in kernel.shared:
        return lambda run, threads: np.array(run.shared.address[operand], dtype)
    bits = np.dtype(f"u{dtype.itemsize}")
    if match := re.match(r"0[df]([0-9A-F]+)$", operand):
        constant = np.array(int(match[1], 16), bits).view(dtype)
    elif re.match(r"-?\d+$", operand):
        constant = np.array(int(operand) % 2 ** (8 * bits.itemsize), bits).view(dtype)
    else:
        raise instruction.unknown()
    return lambda run, threads: constant


def _width(kernel: Kernel, register: str) -> int | None:
    return DTYPES[kernel.registers[register]].itemsize if register in kernel.registers else None


def _list(operand: str) -> list[str]:
    """`{%r1, %r2}` or `%r1`."""
    return [each.strip() for each in operand.strip("{}").split(",")]


def _arithmetic(kernel: Kernel, instruction: Instruction) -> Execute:
    found = operation(instruction.head, instruction.types)
    if found is None:
        raise instruction.unknown()
    function, types, result = found
    into, *operands = instruction.operands
    converts = instruction.head == "cvt"
    width = _width(kernel, into) or 0
    if width < result.itemsize or (width > result.itemsize and not converts):
        raise instruction.unknown()
    read_one = _lower_bits if converts else _reader
    reads = [
        read_one(kernel, instruction, operand, dtype)
        for operand, dtype in zip(operands, types, strict=False)
    ]
    # A wider register takes the sign, or zeros.
    wide = np.dtype(f"{result.kind}{width}") if converts else result

    def execute(run: Any, threads: np.ndarray) -> None:
        values = function(*(read(run, threads) for read in reads)).astype(result).astype(wide)
        run.registers[into][threads] = values.view(run.registers[into].dtype)

    return execute


def _lower_bits(kernel: Kernel, instruction: Instruction, operand: str, dtype: np.dtype) -> Read:
    """An operand as `dtype`, of whose register, which may be wider, the lower bits count."""
    width = _width(kernel, operand) or 0
    if width <= dtype.itemsize:
        return _reader(kernel, instruction, operand, dtype)
    whole = _reader(kernel, instruction, operand, np.dtype(f"u{width}"))
    bits = np.dtype(f"u{dtype.itemsize}")
    return lambda run, threads: whole(run, threads).astype(bits).view(dtype)


def _bits(kernel: Kernel, instruction: Instruction) -> Execute:
    """Takes a register apart, puts one together, or copies it: addresses are global already."""
    into, source = map(_list, instruction.operands)
    if instruction.types not in (("b64",), ("u64",)):
        raise instruction.unknown()
    width = DTYPES["b64"].itemsize
    reads = [
        _reader(kernel, instruction, each, np.dtype(f"u{width // len(source)}")) for each in source
    ]

    def execute(run: Any, threads: np.ndarray) -> None:
        whole = np.stack([read(run, threads) for read in reads], axis=-1)
        parts = whole.view(f"u{width // len(into)}")
        for i, register in enumerate(into):
            run.registers[register][threads] = parts[:, i]

    return execute


def _parameter(kernel: Kernel, instruction: Instruction) -> Execute:
    into, source = instruction.operands
    dtype = DTYPES[instruction.types[0]]
    match = ADDRESS.match(source)
    known = instruction.head == "ld.param" and match is not None
    if not known or _width(kernel, into) != dtype.itemsize:
        raise instruction.unknown()
    offset = int(match[2] or 0)

    def execute(run: Any, threads: np.ndarray) -> None:
        value = np.frombuffer(run.parameters[match[1]], dtype, 1, offset)
        run.registers[into][threads] = value.view(run.registers[into].dtype)

    return execute


def _memory(kernel: Kernel, instruction: Instruction) -> Execute:
    operands, loads = instruction.operands, instruction.head.startswith("ld.")
    known = re.match(r"(ld|st)\.(global|shared)(\.nc)?(?:\.v([24]))?$", instruction.head)
    match = ADDRESS.match(operands[1 if loads else 0])
    if known is None or match is None or len(instruction.types) != 1:
        raise instruction.unknown()
    dtype, constant = DTYPES[instruction.types[0]], known[3] is not None
    registers = _list(operands[0 if loads else 1])
    narrow = loads and any((_width(kernel, each) or 0) < dtype.itemsize for each in registers)
    if narrow or len(registers) != int(known[4] or 1):
        raise instruction.unknown()
    # Shared addresses have 32 bits, or 64 where the compiler finds that handier.
    pointer = DTYPES[kernel.registers.get(match[1], "b64")]
    base = _reader(kernel, instruction, match[1], pointer)
    offset = np.array(int(match[2] or 0), np.dtype(f"i{pointer.itemsize}")).view(pointer)

    def addresses(run: Any, threads: np.ndarray) -> np.ndarray:
        return np.broadcast_to(base(run, threads) + offset, threads.shape).astype(np.uint64)

    def place(run: Any, threads: np.ndarray) -> tuple[Any, Who]:
        if known[2] == "global":
            return run.memory, Who(threads, run.epochs[threads])
        return run.shared, Who(threads, run.epochs[threads], run.blocks[threads])

    def load(run: Any, threads: np.ndarray) -> None:
        memory, who = place(run, threads)
        found = memory.load(addresses(run, threads), dtype, len(registers), who, constant)
        for i, register in enumerate(registers):
            bits = run.registers[register].dtype
            # A wider register takes the sign, or zeros.
            wide = found[:, i].astype(f"{dtype.kind}{bits.itemsize}")
            run.registers[register][threads] = wide.view(bits)

    if loads:
        return load
    reads = [_reader(kernel, instruction, each, dtype) for each in registers]

    def store(run: Any, threads: np.ndarray) -> None:
        memory, who = place(run, threads)
        values = [np.broadcast_to(read(run, threads), threads.shape) for read in reads]
        memory.store(addresses(run, threads), np.stack(values, axis=-1), who)

    return store


def _barrier(run: Any, threads: np.ndarray) -> None:
    run.epochs[threads] += 1


def _shuffle(kernel: Kernel, instruction: Instruction) -> Execute:
    """The value of the lane `distance` above, within segments; past their end, one's own."""
    into, source, *rest = instruction.operands
    value = _reader(kernel, instruction, source, DTYPES["b32"])
    distance, clamp, mask = (_reader(kernel, instruction, each, DTYPES["s32"]) for each in rest)
    result, *found = into.split("|")

    def execute(run: Any, threads: np.ndarray) -> None:
        lane, segments = threads % 32, clamp(run, threads) >> 8 & 31
        last = (lane & segments) | (clamp(run, threads) & 31 & ~segments)
        wanted = lane + (distance(run, threads) & 31)
        other = np.where(wanted <= last, wanted, lane)
        outside = (mask(run, threads) >> other & 1) == 0
        if outside.any():
            i = outside.argmax()
            raise Fault(f"lane {other[i]}, which it reads, is not in its mask", i)
        # All reads come first, for the result may be the register that others read.
        run.registers[result][threads] = value(run, threads - lane + other).view(np.uint32)
        for predicate in found:
            run.registers[predicate][threads] = wanted <= last

    return execute
