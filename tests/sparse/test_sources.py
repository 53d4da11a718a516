"""What csrc/README.md promises of the sources, and no build notices."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

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


def test_kernels_know_no_torch():
    assert {"csr.cu", "csr_avx2.cpp", "stencil_solver.inl", "layers.inl"} <= {
        path.name for path in KERNELS
    }
    for path in KERNELS:
        assert not re.search(r"<(ATen|c10|torch|pybind11|Python)", "".join(included(path))), path
