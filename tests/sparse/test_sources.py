"""What csrc/README.md promises of the sources, and no build notices."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.marks import mostly_full

CSRC = Path(__file__).parents[2] / "csrc"
COMPILER = os.environ.get("CXX", "g++")
PER_INSTRUCTION_SET = sorted(CSRC.rglob("*.inl"))
# The border to torch: everything else beside kernels must do without.
BORDER = {"binding.cpp", "binding.h", "dispatch.cpp"}
BORDER |= {"network.h", "node.h", "checks.cpp", "plain.cpp", "fused.cpp", "autograd.cpp"}
KERNELS = [
    path
    for folder in ("cpu", "cuda", "network", "rbffd")
    for path in sorted((CSRC / folder).iterdir())
    if path.name not in BORDER
]


def included(path: Path) -> list[str]:
    return re.findall(r"^#include (\S+)", path.read_text(), flags=re.MULTILINE)


def test_what_is_compiled_once_per_instruction_set_includes_its_needs_and_no_standard_header():
    """A standard header after the target is set would be compiled for it: csrc/cpu/target.h."""
    for path in PER_INSTRUCTION_SET:
        assert not [header for header in included(path) if header.startswith("<")], path
    if shutil.which(COMPILER) is None:
        pytest.skip(f"no {COMPILER} on this machine")
    target = ["-DDTPINN_TARGET=alone", "-DDTPINN_LANE_BYTES=16"]
    command = [COMPILER, "-std=c++17", "-fsyntax-only", *target, "-x", "c++"]
    done = subprocess.run([*command, *PER_INSTRUCTION_SET], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "path",
    mostly_full(sorted(CSRC.rglob("*_avx512.cpp")), lambda path: path.name != "csr_avx512.cpp"),
    ids=lambda path: path.stem,
)
def test_the_linker_shares_nothing_among_instruction_sets(path, tmp_path):
    """Of a function that several files define as inline it keeps one: any processor may get it."""
    if shutil.which(COMPILER) is None or shutil.which("nm") is None:
        pytest.skip(f"no {COMPILER} and nm on this machine")
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the file is empty on this processor")
    made = tmp_path / "kernels.o"
    # Without optimisation nothing is inlined, so that all that ever could be shared is a symbol.
    subprocess.run([COMPILER, "-std=c++17", "-O0", "-c", path, "-o", made], check=True)
    listed = subprocess.run(["nm", made], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in listed.splitlines()]
    assert any("avx512" in name for _, name in symbols)
    shared = [name for kind, name in symbols if kind in "WVu" and "6avx512" not in name]
    assert not shared, shared


def test_kernels_know_no_torch():
    assert {"csr.cu", "csr_avx2.cpp", "stencil_solver.inl", "layers.inl"} <= {
        path.name for path in KERNELS
    }
    for path in KERNELS:
        assert not re.search(r"<(ATen|c10|torch|pybind11|Python)", "".join(included(path))), path
