"""csrc/cuda/binding.cpp, executed without a GPU: what it makes of torch's tensors.

It is compiled against whatever torch there is, with stubs for c10's CUDA headers (shim/c10), and
linked to the launchers on the simulated GPU. The operators then know CUDA, and are told to run its
kernels on tensors of the CPU.

    python -m tests.cuda.bound LIBRARY

runs every check, and then again with each bug of SEEDED, in a process of its own; it prints what
each ended with.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import traceback
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import dtpinn
from tests.cuda.battery import CALLS, UNKNOWN, with_row_lengths
from tests.cuda.toolchain import KERNELS

SOURCE = KERNELS.parent / "binding.cpp"
# Texts that occur once in binding.cpp, and what becomes of them. BUG(name) is true where that bug
# is at work, so that one compilation holds them all.
SEEDED = [
    (
        "p.values.const_data_ptr<scalar_t>(), p.rows, p.columns}",
        "p.values.const_data_ptr<scalar_t>(), BUG(rows and columns swapped) ? p.columns : p.rows,"
        "BUG(rows and columns swapped) ? p.rows : p.columns}",
    ),
    (
        "nullptr, p.rows, p.columns}",
        "nullptr, BUG(rows and columns swapped where sampled) ? p.columns : p.rows, p.columns}",
    ),
    (
        "A, p.y.const_data_ptr<scalar_t>(), p.x.const_data_ptr<scalar_t>()",
        "A, (BUG(operands swapped) ? p.x : p.y).const_data_ptr<scalar_t>(),"
        "(BUG(operands swapped) ? p.y : p.x).const_data_ptr<scalar_t>()",
    ),
    ("p.perm.defined() ?", "p.perm.defined() && !BUG(a permutation forgotten) ?"),
    (
        "p.y.mutable_data_ptr<scalar_t>(), p.k, p.col.size(0), stream.stream()",
        "p.y.mutable_data_ptr<scalar_t>(), BUG(the first column only) ? 1 : p.k,"
        "BUG(as many entries as rows) ? p.rows : p.col.size(0),"
        "BUG(another stream) ? nullptr : stream.stream()",
    ),
    (
        "p.out.mutable_data_ptr<scalar_t>(), p.k, p.col.size(0), stream.stream()",
        "p.out.mutable_data_ptr<scalar_t>(), p.k, p.col.size(0),"
        "BUG(another stream where sampled) ? nullptr : stream.stream()",
    ),
    (
        "guard(p.y.device())",
        "guard(BUG(another device) ? c10::Device(c10::DeviceType::Meta) : p.y.device())",
    ),
    (
        "guard(p.out.device())",
        "guard(BUG(another device where sampled) ? c10::Device(c10::DeviceType::Meta)"
        ": p.out.device())",
    ),
    (
        "C10_CUDA_CHECK(launch_csr_product(",
        "CHECK_BUT(BUG(an error swallowed), launch_csr_product(",
    ),
    (
        "C10_CUDA_CHECK( launch_csr_sampled(",
        "CHECK_BUT(BUG(an error swallowed where sampled), launch_csr_sampled(",
    ),
]
BUG = re.compile(r"BUG\(([^)]*)\)")
BUGS = list(dict.fromkeys(name for _, new in SEEDED for name in BUG.findall(new)))
PRELUDE = """\
extern int seeded;
#define CHECK_BUT(bug, call) if (bug) static_cast<void>(call); else C10_CUDA_CHECK(call)
"""


def seed(place: Path) -> Path:
    """A copy of the binding with all bugs in it, none of them at work."""
    text = SOURCE.read_text().replace('"../', f'"{SOURCE.parent.parent}/')
    text = text.replace('"launch.h"', f'"{SOURCE.parent}/launch.h"')
    for old, new in SEEDED:
        pattern = r"\s*".join(map(re.escape, old.split()))
        numbered = BUG.sub(lambda bug: f"(seeded == {1 + BUGS.index(bug[1])})", new)
        text, count = re.subn(pattern, lambda _, to=numbered: to, text)
        if count != 1:
            raise LookupError(f"{old!r} has to occur once in {SOURCE.name}, occurs {count} times")
    made = place / "seeded_binding.cpp"
    made.write_text(text.replace("namespace dtpinn {", PRELUDE + "namespace dtpinn {", 1))
    return made


# -- the checks, of a library that has been loaded ------------------------------------------------

KEYS = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
ROWS, COLUMNS = 40, 23
MATRIX = with_row_lengths(np.arange(ROWS) * 7 % 63, columns=COLUMNS)  # 31 a row on the average


class Bound:
    """The operators of CUDA, and what they asked of it."""

    def __init__(self, library: str) -> None:
        torch.ops.load_library(library)
        self.probe = ctypes.CDLL(library)

    def call(self, name: str, *arguments: object, failing_call: int = 0) -> torch.Tensor:
        self.probe.observe(failing_call)
        return getattr(torch.ops.dtpinn, name).default.redispatch(KEYS, *arguments)

    def asked(self) -> tuple[int, bool, int]:
        """Launches, whether they were on the right stream, and blocks."""
        launches, on_stream, blocks = (ctypes.c_int() for _ in range(3))
        self.probe.tell(*map(ctypes.byref, (launches, on_stream, blocks)))
        return launches.value, bool(on_stream.value), blocks.value

    def check(self) -> None:
        types = product((torch.float64, torch.float32), (torch.int32, torch.int64))
        for scalar, index in types:
            self.check_products(scalar, index)
            self.check_sampled(scalar, index)
        self.check_nothing_to_do()
        self.check_errors()
        # 31 entries a row have 16 threads there, 8 rows a block; one entry would have 4.
        matrix, values, perm = tensors(torch.float64, torch.int32)
        self.call("csr_product", *matrix[:2], values, *matrix[2:], None, perm, torch.ones(COLUMNS))
        assert self.asked() == (1, True, 5)

    def check_products(self, scalar: torch.dtype, index: torch.dtype) -> None:
        """Values of the transpose as they are stored, or by the permutation."""
        matrix, values, perm = tensors(scalar, index)
        for stored in (None, 3 * values[perm]):
            for transpose in (False, True):
                dense = torch.from_numpy(MATRIX.toarray()).to(scalar)
                dense = dense.T * (1 if stored is None else 3) if transpose else dense
                for x in operands(dense.shape[1], scalar):
                    got = self.call(
                        "csr_product", *matrix[:2], values, *matrix[2:], stored, perm, x, transpose
                    )
                    assert_close(got, dense @ x)
                    assert self.asked()[:2] == (1, True)

    def check_sampled(self, scalar: torch.dtype, index: torch.dtype) -> None:
        matrix, _, perm = tensors(scalar, index)
        row = torch.repeat_interleave(torch.arange(ROWS), matrix[0].diff())
        for y, x in zip(operands(ROWS, scalar), operands(COLUMNS, scalar), strict=True):
            got = self.call("csr_sampled", *matrix, perm, y, x)
            if x.dim() == 1:
                y, x = y[:, None], x[:, None]
            assert_close(got, (y @ x.mT).reshape(-1, ROWS, COLUMNS).sum(0)[row, matrix[1]])
            assert self.asked()[:2] == (1, True)

    def check_nothing_to_do(self) -> None:
        matrix, values, perm = tensors(torch.float64, torch.int32)
        empty = [torch.zeros(n, dtype=torch.int32) for n in (1, 0, 1 + COLUMNS, 0)]
        none = empty[1]
        for arguments, shape in (
            ((*matrix[:2], values, *matrix[2:], None, perm, torch.ones(COLUMNS, 0)), (ROWS, 0)),
            ((*empty[:2], torch.ones(0), *empty[2:], None, none, torch.ones(COLUMNS, 2)), (0, 2)),
        ):
            assert self.call("csr_product", *arguments).shape == shape
            assert self.asked()[0] == 0
        y, x = torch.ones(0, 2), torch.ones(COLUMNS, 2)
        assert self.call("csr_sampled", *empty, none, y, x).shape == (0,)
        assert self.asked()[0] == 0

    def check_errors(self) -> None:
        matrix, values, perm = tensors(torch.float64, torch.int32)
        x, y = torch.ones(COLUMNS), torch.ones(ROWS)
        for call in range(1, CALLS + 1):
            for name, arguments in (
                ("csr_product", (*matrix[:2], values, *matrix[2:], None, perm, x)),
                ("csr_sampled", (*matrix, perm, y, x)),
            ):
                with pytest.raises(RuntimeError, match=f"CUDA error: {UNKNOWN}"):
                    self.call(name, *arguments, failing_call=call)


def tensors(
    scalar: torch.dtype, index: torch.dtype
) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """crow, col, crow_t, col_t; values; perm."""
    A = dtpinn.CSR.from_scipy(MATRIX)
    structure = [getattr(A, name).to(index) for name in ("crow", "col", "crow_t", "col_t")]
    return structure, A.values.to(scalar), A.perm.to(index)


def operands(n: int, scalar: torch.dtype) -> Iterator[torch.Tensor]:
    """A vector, columns, columns that lie apart, and leading dimensions."""
    generator = torch.Generator().manual_seed(n)
    for shape in ((n,), (n, 3), (3, n), (2, n, 3)):
        x = torch.randn(shape, generator=generator, dtype=scalar)
        yield x.T if shape == (3, n) else x


def outcome(bound: Bound, bug: int) -> str:
    """How the checks end with a bug at work: in a process of its own, which it may crash."""
    child = os.fork()
    if child == 0:
        bound.probe.seed_bug(bug)
        try:
            bound.check()
        except BaseException:
            if bug == 0:
                traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return "passed" if os.waitpid(child, 0)[1] == 0 else "caught"


def main(library: str) -> None:
    """Print the outcome without a bug, and with each."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    bound = Bound(library)
    for number, name in enumerate(["nothing", *BUGS]):
        print(f"{name}: {outcome(bound, number)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
