"""The kernels of csrc/cuda as nvcc compiles them, and their launch on numpy arrays."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from tests.cuda.ptx_machine import Run
from tests.cuda.ptx_memory import Memory
from tests.cuda.ptx_parser import Kernel, parse

SOURCES = sorted((Path(__file__).parents[2] / "csrc/cuda").glob("*.cu"))
MANGLED = re.compile(r"_ZN6dtpinn\d+([a-z_]+)I((?:Li\d+E)*)([df])([il])E")
SCALARS = {"d": np.dtype(np.float64), "f": np.dtype(np.float32)}
INDICES = {"i": np.dtype(np.int32), "l": np.dtype(np.int64)}


class Key(NamedTuple):
    """`csr_product_vector<8, double, int>` is `("csr_product_vector", (8,), "d", "i")`."""

    name: str
    widths: tuple[int, ...] = ()
    scalar: str = ""
    index: str = ""

    @classmethod
    def of(cls, mangled: str) -> Key:
        """A kernel that fits no pattern goes by its whole name."""
        if (match := MANGLED.match(mangled)) is None:
            return cls(mangled)
        widths = tuple(map(int, re.findall(r"\d+", match[2])))
        return cls(match[1], widths, match[3], match[4])


def compile_ptx(nvcc: str, architectures: Iterable[int], place: Path) -> dict[int, str]:
    """The PTX of all sources, one text for each architecture; compiled side by side."""
    made = {
        (each, source): place / f"{source.stem}_{each}.ptx"
        for each in architectures
        for source in SOURCES
    }
    compilers = [
        subprocess.Popen(
            [nvcc, "-O3", "-std=c++17", f"-arch=compute_{each}", "-ptx", source, "-o", ptx]
        )
        for (each, source), ptx in made.items()
    ]
    assert [compiler.wait() for compiler in compilers] == [0] * len(compilers)
    return {
        each: "".join(ptx.read_text() for (where, _), ptx in made.items() if where == each)
        for each in architectures
    }


def kernels(text: str) -> dict[Key, Kernel]:
    return {Key.of(name): kernel for name, kernel in parse(text).items()}


def entry(text: str, key: Key) -> str:
    """The lines of one kernel."""
    for each in re.split(r"^(?=\.visible \.entry)", text, flags=re.MULTILINE)[1:]:
        lines = each[: each.index("\n}") + 3]
        if Key.of(each.split()[2].rstrip("(")) == key:
            return lines
    raise KeyError(f"no kernel {key}")


class Shape(NamedTuple):
    """Of a launch: blocks along x and y, threads of a block, and which blocks run."""

    grid: tuple[int, int] = (1, 1)
    threads: int = 64
    blocks: tuple[int, ...] | None = None


class Before(NamedTuple):
    """What lies in front of the arrays at hand, and is not there: pointers are that much less.

    So a matrix of one entry can be the last of more than 2**31.
    """

    rows: int = 0
    columns: int = 0  # of the matrix
    entries: int = 0
    operand_columns: int = 0


NOTHING = Before()


def launch(
    kernel: Kernel,
    key: Key,
    matrix: sp.csr_array,
    operands: dict[str, np.ndarray],
    k: int,
    shape: Shape,
    before: Before = NOTHING,
) -> np.ndarray:
    """What the kernel leaves: of `x` and perhaps `perm`, or `x` and `y` for the sampled product.

    The result has a row, or an entry, for each of the matrix; NaN where nothing was written.
    """
    scalar, index = SCALARS[key.scalar], INDICES[key.index]
    sampled = key.name == "csr_sampled"
    rows, columns = matrix.shape
    size = matrix.nnz if sampled else rows * (k - before.operand_columns)
    arrays = {name: array.astype(scalar) for name, array in operands.items() if name != "perm"} | {
        "crow": (matrix.indptr.astype(np.int64) + before.entries).astype(index),
        "col": (matrix.indices.astype(np.int64) + before.columns).astype(index),
    }
    if not sampled:  # which promises not to read values
        arrays["values"] = matrix.data.astype(scalar)
    if "perm" in operands:
        arrays["perm"] = operands["perm"].astype(index)
    memory = Memory.holding(arrays, {"out": size * scalar.itemsize})

    def pointer(name: str, items: int = 0) -> bytes:
        if name not in memory.address:
            return bytes(8)
        width = arrays[name].itemsize if name in arrays else scalar.itemsize
        return struct.pack("<Q", (memory.address[name] - items * width) % 2**64)

    view = b"".join(
        [
            pointer("crow", before.rows),
            pointer("col", before.entries),
            pointer("values", 0 if "perm" in operands else before.entries),
            struct.pack("<qq", before.rows + rows, before.columns + columns),
        ]
    )
    x = pointer("x", before.columns * k + before.operand_columns)
    y_rows = before.rows * k + before.operand_columns
    if sampled:
        arguments = [view, pointer("y", y_rows), x, pointer("out", before.entries)]
    else:
        arguments = [view, pointer("perm", before.entries), x, pointer("out", y_rows)]
    if key.name != "csr_product_vector":
        arguments.append(struct.pack("<q", k))
    Run(kernel, arguments, shape.grid, shape.threads, memory, shape.blocks).finish()
    return memory.array("out", scalar)
