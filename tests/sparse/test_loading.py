"""x is loaded lane by lane, or gathered by an instruction: the choice, which changes no bit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

import dtpinn
from dtpinn import _C
from tests.marks import mostly_full

WAYS = ["scalar", "gather"]
BEST = _C.instruction_set()
GATHERS = {"avx512": ["avx512", "avx2"], "avx2": ["avx2"]}.get(BEST, [])  # here, best first


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, which knows the same packages."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables}
    for name in [name for name, value in environment.items() if not value]:
        del environment[name]
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True
    )


def digests(*arguments: str, **variables: str) -> list[str]:
    done = run("-m", "tests.sparse.guarded", *arguments, **variables)
    assert done.returncode == 0, f"{variables}: exit code {done.returncode}\n{done.stderr[-2000:]}"
    return done.stdout.splitlines()


@pytest.mark.skipif(not GATHERS, reason="this processor has no gathers")
@pytest.mark.parametrize(
    ("capability", "lengths"),
    mostly_full(
        [(c, lengths) for c in ("avx512", "avx2") for lengths in ("usual", "every")],
        {(c, "usual") for c in GATHERS[:1]}.__contains__,
    ),
)
def test_both_ways_give_the_same_bits_and_read_nothing_else(capability, lengths):
    """Every type, row lengths about every register, what is not finite; between forbidden pages."""
    if capability not in GATHERS:
        pytest.skip(f"this processor has no {capability}")
    scalar, gather = (
        digests(lengths, DTPINN_LOADS=way, ATEN_CPU_CAPABILITY=capability) for way in WAYS
    )
    assert scalar[0] == "loads scalar scalar"
    assert gather[0] == "loads gather gather"
    assert len(scalar) > 300
    for one, other in zip(scalar[1:], gather[1:], strict=True):
        assert one == other
    # Where an array lies changes nothing either, and the pages beside it are forbidden.
    results, ends = scalar[1:-5], scalar[-5:]
    assert results[::2] == results[1::2]
    assert [line.split()[0] for line in ends] == ["killed"] * 5


def test_the_choice_is_made_once_and_told():
    asked = os.environ.get("DTPINN_LOADS")
    chosen = _C.loads()
    assert list(chosen) == ["float64", "float32"]
    assert set(chosen.values()) <= ({asked} if asked else set(WAYS))
    assert all(_C.loads() == chosen for _ in range(5))


# Nothing is chosen, or measured, before the first product; an error chooses nothing.
AT_FIRST_USE = """
import os, sys
import torch, dtpinn

for wish in sys.argv[1:]:
    os.environ["DTPINN_LOADS"] = wish
    try:
        dtpinn.CSR.from_dense(torch.eye(3)) @ torch.ones(3)
        print(dtpinn._C.loads())
    except ValueError as error:
        print(str(error).splitlines()[0])
"""


def test_the_variable_is_read_once_and_a_wrong_one_is_an_error():
    done = run("-c", AT_FIRST_USE, "fast", "scalar", "gather", DTPINN_LOADS="fast")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "DTPINN_LOADS must be scalar or gather, or unset, got 'fast'",
        "{'float64': 'scalar', 'float32': 'scalar'}",
        "{'float64': 'scalar', 'float32': 'scalar'}",
    ]


@pytest.mark.full
def test_where_there_are_no_gathers_to_ask_for_them_is_an_error():
    done = run("-c", AT_FIRST_USE, "gather", "", ATEN_CPU_CAPABILITY="default")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "DTPINN_LOADS=gather needs the instruction set avx2 or avx512, and the one in use is "
        "baseline: unset it, or ATEN_CPU_CAPABILITY if that is set",
        "{'float64': 'scalar', 'float32': 'scalar'}",
    ]


# Threads that ask at once, and children forked while they measure: of each type but the first, with
# which torch itself is started: a fork meanwhile would find torch's own locks taken.
AT_ONCE = """
import os, signal, threading, time
import torch
from dtpinn import _C

torch.set_num_threads(1)
types = [(s, i) for s in (torch.float64, torch.float32) for i in (torch.int32, torch.int64)]
operands = {
    (scalar, index): (torch.tensor([0, 1, 2, 3], dtype=index), torch.tensor([0, 1, 2], dtype=index),
                      torch.tensor([1.0, 1.0, 1.0], dtype=scalar))
    for scalar, index in types
}
def right(each):
    crow, col, ones = operands[each]
    product = torch.ops.dtpinn.csr_product(crow, col, ones, crow, col, None, col, ones)
    return product.tolist() == [1.0, 1.0, 1.0]

def child_ends(each):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if right(each) else 1)
    return os.waitpid(child, 0)[1] == 0

assert right(types[0])
for each in types[1:]:
    gate = threading.Barrier(4)
    threads = [threading.Thread(target=lambda: (gate.wait(), right(each))) for _ in range(3)]
    for thread in threads:
        thread.start()
    gate.wait()
    for wait in (1e-5, 1e-4, 1e-4, 1e-4, 1e-4):
        time.sleep(wait)
        assert child_ends(each), each
    for thread in threads:
        thread.join()
first = _C.loads()
assert all(_C.loads() == first for _ in range(9))
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, repr(_C.loads()).encode())
    os._exit(0)
assert os.read(read, 999) == repr(first).encode()
print("all ended")
"""


def test_threads_and_forked_children_may_ask_at_any_moment():
    done = run("-c", AT_ONCE, DTPINN_LOADS="")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "all ended\n"


@pytest.mark.skipif(not GATHERS, reason="this processor has no gathers")
def test_the_sum_of_a_row_is_that_of_lanes_added_by_halves():
    """The order of `product_vector.inl` in single precision, in plain code: what both ways keep to.

    All numbers are powers of two, whose products are exact, so that fma rounds as a product and a
    sum do; most sums round.
    """
    width = 8
    generator = torch.Generator().manual_seed(0)
    for length in (8, 9, 15, 16, 24, 31, 57, 64):
        exponents = torch.randint(-20, 20, (length,), generator=generator)
        values = torch.ldexp(torch.ones(length), exponents)
        even, odd = torch.zeros(width), torch.zeros(width)
        whole = length // width
        for block in range(whole):
            part = values[block * width : (block + 1) * width]
            even, odd = (even + part, odd) if block % 2 == 0 else (even, odd + part)
        last = values[whole * width :]
        odd[width - len(last) :] += last
        total = even + odd
        while len(total) > 1:
            half = len(total) // 2
            total = total[:half] + total[half:]
        A = dtpinn.CSR.from_dense(values[None, :])
        assert torch.equal(A @ torch.ones(length), total)
