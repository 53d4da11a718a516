"""csrc/cuda/binding.cpp on the simulated GPU: `bound` compiles, runs and breaks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils import cpp_extension

from dtpinn import _C
from tests.cuda import bound
from tests.cuda.toolchain import ENVIRONMENT, HERE

pytestmark = pytest.mark.full  # torch's headers take long to compile


@pytest.fixture(scope="module")
def library(toolchain, tmp_path_factory):
    place = tmp_path_factory.mktemp("bound")
    headers = [f"-I{path}" for path in cpp_extension.include_paths()]
    abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"
    torchs = [f"-L{path}" for path in cpp_extension.library_paths()]
    sources = [bound.seed(place), HERE / "binding_probe.cpp"]
    return toolchain.library(sources, place, [*headers, abi], [*torchs, "-ltorch_cpu", "-lc10"])


@pytest.mark.skipif(_C.build_info()["cuda"] is not None, reason="built with CUDA: a GPU's tests")
def test_it_hands_torchs_tensors_on_and_every_seeded_bug_is_caught(library):
    done = subprocess.run(
        [sys.executable, "-m", "tests.cuda.bound", library],
        cwd=Path(HERE).parents[1], env=ENVIRONMENT, capture_output=True, text=True,
    )  # fmt: skip
    outcomes = dict(line.split(": ") for line in done.stdout.splitlines())
    wanted = {"nothing": "passed"} | dict.fromkeys(bound.BUGS, "caught")
    assert outcomes == wanted, done.stderr[-3000:]
