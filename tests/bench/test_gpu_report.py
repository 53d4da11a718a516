"""The GPU report without a GPU: it says that there is none, and all else runs on the CPU.

Only CUDA's timer and graphs are the GPU's own; test_gpu.py runs those where there is one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

import dtpinn
from bench import gpu_products, gpu_report, gpu_target, gpu_training, rivals
from bench.gpu_report import FULL, MINUTES, QUICK, Sizes, make_report, plan
from bench.gpu_target import CPU, GPU
from bench.gpu_training import METHODS, Step, same_gradient
from bench.operands import Operands, stencil_matrix
from bench.rivals import FORWARD, Rival

pytestmark = pytest.mark.filterwarnings("ignore:Sparse:UserWarning")

CHECKOUT = Path(gpu_report.__file__).parent.parent
TINY = Sizes((150,), (9, 15), training=(150, 2), seconds=0.01, fp64_only=True)
# A graph's part is played by the step itself, which always sees the parameters as they are.
TARGET = dataclasses.replace(CPU, capture=lambda once: once)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(gpu_products, "COPIED", 2**16)
    monkeypatch.setattr(gpu_target, "FLUSH", 2**16)
    gpu_target._flush.cache_clear()
    kept = ("a dense row", "no columns")
    monkeypatch.setattr(gpu_report, "SHAPES", {name: gpu_report.SHAPES[name] for name in kept})
    gpu_products.copy_bandwidth.cache_clear()
    yield
    gpu_products.copy_bandwidth.cache_clear()


# -- where there is no GPU ------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so_and_is_content(tmp_path):
    source = Path(dtpinn.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "bench.gpu_report", "--quick", "--out", str(tmp_path / "out")],
        cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"nothing to report: torch {torch.__version__}" in done.stdout
    assert "without CUDA" in done.stdout or "sees no CUDA device" in done.stdout
    assert not (tmp_path / "out").exists()


def test_a_cuda_torch_without_a_device_is_told_from_one_for_the_cpu(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for version, wanted in (("13.0", "(CUDA 13.0) sees no CUDA device"), (None, "without CUDA")):
        monkeypatch.setattr(torch.version, "cuda", version)
        assert gpu_report.main([]) == 0
        assert wanted in capsys.readouterr().out


def test_a_gpu_that_this_build_cannot_use_is_an_error_that_says_how_to_rebuild(monkeypatch, capsys):
    monkeypatch.setattr(gpu_report, "no_gpu", lambda: None)
    monkeypatch.setattr(dtpinn._C, "build_info", lambda: {"cuda": None})
    assert gpu_report.main([]) == 1
    message = capsys.readouterr().err
    assert "dtpinn was built without CUDA" in message
    assert "DTPINN_CUDA=1 pip install --no-build-isolation" in message


def test_with_a_gpu_it_measures_that(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(gpu_report, "no_gpu", lambda: None)
    monkeypatch.setattr(gpu_report, "no_kernels", lambda: None)
    monkeypatch.setattr(gpu_report, "make_report", lambda *a, **more: asked.append((*a, more)) or 0)
    assert gpu_report.main(["--out", str(tmp_path)]) == 0
    assert gpu_report.main(["--quick", "--minutes", "2"]) == 0
    assert asked == [
        (GPU, FULL, tmp_path, {"seconds": 60 * MINUTES, "resume": False}),
        (GPU, QUICK, Path("runs/gpu"), {"seconds": 120.0, "resume": False}),
    ]


# -- the report itself, on the CPU ----------------------------------------------------------------


def test_a_report_holds_every_figure_and_every_table(tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert make_report(TARGET, TINY, out, seconds=600) == 0
    report = json.loads((out / "gpu_report.json").read_text())
    sections = report["sections"]
    assert list(sections) == ["parity", "copy", "products", "steps", "training"]
    assert report["machine"]["torch"] == torch.__version__
    assert report["skipped"] == report["failed"] == []
    assert len(sections["products"]) == 2 * 3 * 2  # lengths, operations, columns
    for entry in sections["products"]:
        assert entry["left_out"] == {}
        assert entry["timings"].keys() >= {"ours", "torch int32", "torch int64"}
        figures = entry["timings"]["torch int32"]["queued_ratio"]
        assert 0 < figures["low"] <= figures["median"] <= figures["high"]
        assert entry["timings"]["torch int32"]["cold"]["median"] > 0
        assert ("fraction" in entry) == (entry["operation"] != rivals.BACKWARD)
    (step,) = sections["steps"]
    assert {"DT-PINN fp64", "DT-PINN fp64, graph", "vanilla fp32"} <= step["timings"].keys()
    assert all(graph["passed"] for graph in step["graphs"].values())
    (training,) = sections["training"]
    assert training["runs"]["cpu"]["epochs"] == 2

    text = (out / "gpu_report.md").read_text()
    assert text.rstrip("\n") in capsys.readouterr().out
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [
        "# dtpinn on a GPU", "## Parity", "## Products",
        *(f"### {operation}, {columns}" for operation in gpu_products.OPERATIONS
          for columns in ("1 column", "25 columns")),
        "## One training step", "## A short training",
    ]  # fmt: skip
    assert "comparisons agree; nothing failed" in text
    assert "CuPy + DLPack: the paper's way" in text


def test_what_is_wrong_is_named_first_and_makes_the_status_1(tmp_path, monkeypatch):
    product = dtpinn.CSR._product

    def wrong(A, x, transpose):
        return product(A, x, transpose) * (1 + 1e-9)

    def fails(*_):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(dtpinn.CSR, "_product", wrong)
    monkeypatch.setattr(gpu_report, "steps", fails)
    monkeypatch.setattr(gpu_report, "products", lambda *_: [])
    assert make_report(TARGET, TINY, tmp_path, seconds=600) == 1
    head = (tmp_path / "gpu_report.md").read_text().partition("| machine")[0]
    assert "things are wrong" in head
    assert "parity: a dense row, float64, int32: product (n,), " in head
    assert "steps: N = 150: RuntimeError: out of luck" in head


def test_a_method_that_raises_loses_itself_only_and_a_kill_what_was_under_way(
    tmp_path, monkeypatch
):
    """With a CuPy that raises while it is imported; then the report is gone on with."""
    made = gpu_training.problem_on_host

    def all_but_one(method, *rest):
        if method == "vanilla":
            raise MemoryError("out of it")
        return made(method, *rest)

    def killed(*_):
        raise SystemExit(9)  # as no job can catch it

    class Broken:
        def find_spec(self, name, *_):
            if name == "cupy":
                raise OSError("libnvrtc.so")

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    monkeypatch.setattr(gpu_training, "problem_on_host", all_but_one)
    monkeypatch.setattr(gpu_report, "products", lambda *_: [])
    with monkeypatch.context() as there:
        there.setattr(gpu_report, "short_training", killed)
        with pytest.raises(SystemExit):
            make_report(TARGET, TINY, tmp_path, seconds=600)
    report = json.loads((tmp_path / "gpu_report.json").read_text())
    assert report["machine"]["cupy"] == "broken: OSError: libnvrtc.so"
    (step,) = report["sections"]["steps"]
    assert step["left_out"] == dict.fromkeys(
        ["vanilla fp64", "vanilla fp32"], "MemoryError: out of it"
    )
    assert {"DT-PINN fp64, graph", "vanilla forward fp32"} <= step["timings"].keys()
    assert "vanilla fp64: MemoryError: out of it" in (tmp_path / "gpu_report.md").read_text()

    assert make_report(TARGET, TINY, tmp_path, seconds=600, resume=True) == 1
    again = json.loads((tmp_path / "gpu_report.json").read_text())
    assert again["sections"]["steps"] == [step]  # measured once
    assert len(again["sections"]["training"]) == 1
    with pytest.raises(ValueError, match=r"another sizes than this one; give another --out"):
        make_report(TARGET, dataclasses.replace(TINY, seconds=9.0), tmp_path, 600, resume=True)


def test_without_time_all_is_skipped_and_said(tmp_path):
    assert make_report(TARGET, TINY, tmp_path, seconds=0) == 0
    text = (tmp_path / "gpu_report.md").read_text()
    assert "## Skipped" in text
    for job in plan(TARGET, TINY):
        assert str(job) in text


def test_the_plan_holds_all_sizes_and_the_most_valuable_first():
    jobs = [str(job) for job in plan(GPU, FULL)]
    assert len(set(jobs)) == len(jobs)
    sections = list(dict.fromkeys(job.split(":")[0] for job in jobs))
    assert sections == ["parity", "copy", "products", "steps", "training"]
    for count in (582, 2236, 4977, 19638, 100_000, 200_000):
        for n in (31, 57):
            assert f"products: N = {count}, n = {n}" in jobs
    assert jobs.index("training: N = 2236, 30 epochs") < jobs.index("products: N = 582, n = 57")


# -- its parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_a_graph_that_does_not_see_new_parameters_is_noticed(name):
    step = Step(name, "fp64", 150, "cpu")
    frozen = step()
    assert same_gradient(step, step, 0.0) == {"difference": 0.0, "passed": True}
    stale = same_gradient(step, lambda: frozen, 1e-11)
    assert stale["difference"] > 1e-3
    assert not stale["passed"]


def test_a_rival_with_another_result_or_none_is_left_out(monkeypatch):
    def twice(operands):
        call = rivals.ours(operands)
        return lambda: 2 * call()

    def missing(operands):
        raise MemoryError("too large")

    own = [Rival(f.__name__, f, (FORWARD,)) for f in (twice, missing, rivals.torch_int32)]
    monkeypatch.setattr(gpu_products, "RIVALS", own)
    entry = gpu_products.products(CPU, 150, 9, seconds=0.01)[0]
    assert list(entry["timings"]) == ["ours", "torch_int32"]
    assert entry["left_out"]["missing"] == "MemoryError: too large"
    assert entry["left_out"]["twice"].startswith("AssertionError")


def test_the_transpose_is_multiplied_by_what_the_matrix_has_stored():
    matrix = stencil_matrix(150, 9)
    y = torch.randn(matrix.shape[0])
    call = gpu_products.ours_transposed(Operands(matrix, y, None), matrix)
    np.testing.assert_allclose(call().numpy(), matrix.T @ y.numpy(), atol=1e-12)


@pytest.mark.parametrize("columns", [1, 25])
def test_cupy_alone_multiplies(columns, monkeypatch):
    """With NumPy and SciPy in CuPy's place."""
    sparse = SimpleNamespace(csr_matrix=csr_matrix)
    cupyx = SimpleNamespace(scipy=SimpleNamespace(sparse=sparse))
    modules = {"cupy": np, "cupyx": cupyx, "cupyx.scipy": cupyx.scipy, "cupyx.scipy.sparse": sparse}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    operands = Operands.random(stencil_matrix(150, 9), columns, backward=False)
    wanted = rivals.ours(operands)().numpy()
    np.testing.assert_allclose(rivals.cupy_alone(operands)(), wanted, atol=1e-12)


def test_calls_wait_for_a_gpu_unless_they_are_queued(monkeypatch):
    waits = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append(1))
    there = SimpleNamespace(is_cuda=True)
    operands = Operands(None, there, None)
    assert operands.finish(lambda: 3)() == 3
    assert waits == [1]
    assert operands.queued().finish(lambda: 3)() == 3
    assert waits == [1]
