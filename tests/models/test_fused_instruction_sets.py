"""The fused network's kernels of every instruction set that this processor has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

import dtpinn
from tests.models import test_fused_op, test_fused_tanh
from tests.models.perceptrons import SHAPES

CAPABILITIES = ["default", "avx2", "avx512"]  # ATEN_CPU_CAPABILITY, each above the last
pytestmark = pytest.mark.full  # each starts a process


def run(check: str, capability: str) -> None:
    """Call a function of this file in a process that may use no more than an instruction set."""
    if os.environ.get("ATEN_CPU_CAPABILITY"):
        pytest.skip("asked for one instruction set, which the other tests run with")
    best = torch.backends.cpu.get_cpu_capability().lower()
    ours = CAPABILITIES.index(best) if best in CAPABILITIES else 0
    if CAPABILITIES.index(capability) > ours:
        pytest.skip(f"this processor has no {capability}")
    code = f"from tests.models import test_fused_instruction_sets as t; t.{check}()"
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": capability, "DTPINN_FUSED": "0"}
    found = subprocess.run(
        [sys.executable, "-c", f"{code}; print(t.dtpinn._C.instruction_set())"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert found.stdout.strip() == capability.replace("default", "baseline"), found.stderr[-2000:]


def check_numbers():
    torch.set_default_dtype(torch.float64)
    assert not dtpinn.MLP(2).fused  # as the environment says
    for name in ("the paper's", "odd"):
        for dtype in test_fused_op.TOLERANCE:
            test_fused_op.check_values_and_gradients(SHAPES[name], dtype)
            test_fused_op.check_jacobian(SHAPES[name], dtype)
    test_fused_op.check_threads()


def check_tanh():
    for dtype in test_fused_tanh.TYPES:
        test_fused_tanh.check_tanh(dtype)


def check_tanh_of_many():
    test_fused_tanh.check_every(97)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_numbers_and_threads(capability):
    run("check_numbers", capability)


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("check", ["check_tanh", "check_tanh_of_many"])
def test_tanh(check, capability):
    run(check, capability)
