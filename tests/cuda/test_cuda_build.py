"""dtpinn built with CUDA: what is in it, and how it behaves where there is no GPU. `.ci/cuda`
makes such a build, and runs the CPU's tests on it as well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import dtpinn
from dtpinn import _C
from tests.cuda import compiled, toolkit

BUILT = _C.build_info()
pytestmark = pytest.mark.skipif(BUILT["cuda"] is None, reason="dtpinn was built without CUDA")
OPERATORS = sorted(
    name
    for name in torch._C._dispatch_get_registrations_for_dispatch_key("CPU")
    if name.startswith("dtpinn::")
)


def asked(architectures: str) -> tuple[set[str], set[str]]:
    """``"7.5 9.0a+PTX, of the visible GPU"`` -> machine code for {75, 90a}, PTX for {90a}."""
    found = re.findall(r"(\d+)\.(\d+[a-z]?)(\+PTX)?", architectures)
    named = {major + minor: bool(ptx) for major, minor, ptx in found}
    return {*named}, {name for name, ptx in named.items() if ptx}


@pytest.mark.parametrize(
    ("architectures", "machine_code", "ptx"),
    [
        ("7.5;9.0;12.0", {"75", "90", "120"}, set()),
        ("8.0 9.0a+PTX", {"80", "90a"}, {"90a"}),
        ("12.0+PTX, of the visible GPU", {"120"}, {"120"}),
    ],
)
def test_what_was_asked_for_is_understood(architectures, machine_code, ptx):
    assert asked(architectures) == (machine_code, ptx)


def test_it_holds_machine_code_for_the_architectures_asked_for_and_no_others():
    cuobjdump = toolkit.find("cuobjdump")
    if cuobjdump is None:
        pytest.skip(toolkit.MISSING.format("cuobjdump"))
    held = compiled.run(cuobjdump, "--list-elf", "--list-ptx", Path(_C.__file__))
    found = {kind: {*re.findall(rf"\.sm_(\w+)\.{kind}\b", held)} for kind in ("cubin", "ptx")}
    assert (found["cubin"], found["ptx"]) == asked(BUILT["cuda_architectures"])


def test_the_operators_are_found():
    assert {"dtpinn::csr_product", "dtpinn::csr_sampled"} <= {*OPERATORS}


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_runs_on_the_cpu_runs_on_cuda(operator):
    """By a kernel of its own, or by one for every device: "computed" counts both."""
    assert torch._C._dispatch_has_computed_kernel_for_dispatch_key(operator, "CUDA")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_refused_in_torchs_own_words_and_nothing_is_lost():
    A = dtpinn.CSR(torch.tensor([0, 1, 2]), torch.tensor([1, 0]), torch.tensor([2.0, 3.0]), (2, 2))
    with pytest.raises(RuntimeError) as torchs:
        torch.ones(2, device="cuda")
    with pytest.raises(RuntimeError) as ours:
        A.to("cuda")
    assert str(ours.value) == str(torchs.value)
    assert "NVIDIA driver" in str(ours.value)
    assert (A @ torch.ones(2)).tolist() == [2.0, 3.0]
