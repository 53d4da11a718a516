"""setup.py decides these before a compiler runs; what it builds is tested by everything else."""

from __future__ import annotations

import importlib.util
import os
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch

setuptools = pytest.importorskip("setuptools")
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def setup():
    spec = importlib.util.spec_from_file_location("dtpinn_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_source_archive_from_a_machine_without_cuda_holds_all_of_csrc(setup):
    extension = setup.make_extension(toolkit=None)
    there = {str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*") if p.is_file()}
    assert {"csrc/cuda/binding.cpp", "csrc/cuda/csr.cu"} <= there - set(extension.sources)
    assert there == {*extension.sources, *extension.depends}


@pytest.mark.parametrize(
    ("known", "chosen"),
    [
        ("50 52 75 80 86 87 89 90", "7.5;8.0;8.6;9.0+PTX"),  # CUDA 12.6
        ("75 80 86 87 88 89 90 100 110 103 120 121", "7.5;8.0;8.6;9.0;10.0;12.0+PTX"),  # 13.0
        ("90 90a 100 100f 130", "9.0;10.0+PTX"),
    ],
)
def test_default_architectures_are_those_the_toolkit_knows(setup, known, chosen):
    listing = "".join(f"compute_{each}\n" for each in known.split())
    assert setup.known_architectures(listing) == chosen


@pytest.mark.parametrize(
    ("wish", "gpus", "variable", "said"),
    [
        ("8.0;9.0", [(9, 0)], "8.0;9.0", "8.0;9.0"),
        ("", [(10, 0), (9, 0), (9, 0)], None, "9.0;10.0+PTX, of the visible GPU"),
        ("native", [(9, 0)], None, "9.0+PTX, of the visible GPU"),
        ("", [], "7.5;8.0+PTX", "7.5;8.0+PTX"),
        (None, [], "7.5;8.0+PTX", "7.5;8.0+PTX"),
    ],
)
def test_architectures_wished_for_then_visible_then_known(
    setup, monkeypatch, wish, gpus, variable, said
):
    monkeypatch.setenv("TORCH_CUDA_ARCH_LIST", wish or "")
    if wish is None:
        monkeypatch.delenv("TORCH_CUDA_ARCH_LIST")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(gpus))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(gpus))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda i: gpus[i])
    monkeypatch.setattr(setup, "ask_nvcc", lambda *_: "compute_75\ncompute_80\n")
    assert setup.choose_architectures(Path("toolkit")) == said
    assert os.environ.get("TORCH_CUDA_ARCH_LIST") == variable


@pytest.mark.parametrize(("hip", "said"), [(None, "CPU build"), ("7.1", "ROCm build")])
def test_a_torch_without_cuda_is_called_what_it_is(setup, monkeypatch, hip, said):
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", hip)
    monkeypatch.setenv("DTPINN_CUDA", "1")
    with pytest.raises(SystemExit, match=said):
        setup.choose_toolkit()


@pytest.mark.parametrize(
    ("wish", "flags"),
    [
        (None, []),
        ("", []),
        ("address", ["-fsanitize=address"]),
        (" undefined , address ", ["-fsanitize=address,undefined"]),
    ],
)
def test_sanitizers_compile_and_link_the_extension(setup, monkeypatch, wish, flags):
    monkeypatch.setenv("DTPINN_SANITIZE", wish or "")
    if wish is None:
        monkeypatch.delenv("DTPINN_SANITIZE")
    extension = setup.make_extension(toolkit=None)
    for arguments in (extension.extra_compile_args["cxx"], extension.extra_link_args):
        assert [each for each in arguments if each.startswith("-fsanitize")] == flags
        assert ("-fno-sanitize-recover=all" in arguments) == bool(flags)
    told = [value for name, value in extension.define_macros if name == "DTPINN_SANITIZE"]
    assert told == [flag.replace("-fsanitize=", '"') + '"' for flag in flags]


@pytest.mark.parametrize("wish", ["thread", "address,", "adress,undefined", "1"])
def test_an_unknown_sanitizer_is_refused(setup, monkeypatch, wish):
    monkeypatch.setenv("DTPINN_SANITIZE", wish)
    with pytest.raises(SystemExit, match=f"one or more of address, undefined.*got '{wish}'"):
        setup.make_extension(toolkit=None)


def test_a_sanitized_extension_never_lands_in_the_checkout(setup, monkeypatch):
    monkeypatch.setenv("DTPINN_SANITIZE", "address")
    command = setup.make_build_command(None)(setuptools.Distribution())
    command.inplace = True
    with pytest.raises(SystemExit, match=r"\.ci/sanitized"):
        command.run()


@pytest.mark.parametrize("shared", ["true", "false"])
def test_the_target_environment_is_seen_through_isolation(setup, monkeypatch, tmp_path, shared):
    (tmp_path / "pyvenv.cfg").write_text(f"home = x\ninclude-system-site-packages = {shared}\n")
    base, user = site.getsitepackages(["/base"]), site.getusersitepackages()
    monkeypatch.setattr(sys, "base_prefix", "/base")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    own = site.getsitepackages([str(tmp_path)])
    assert setup.target_paths() == (own if shared == "false" else [*own, user, *base])
    monkeypatch.setattr(sys, "prefix", "/base")
    assert setup.target_paths() == [user, *base]


def test_the_running_environment_is_among_its_own_paths(setup):
    assert sysconfig.get_path("platlib") in setup.target_paths()


def test_a_bare_directory_named_torch_is_no_torch(tmp_path):
    (tmp_path / "torch").mkdir()
    program = (
        "import runpy, sys; setup = runpy.run_path(sys.argv[1]); sys.path[:0] = [sys.argv[2]];"
        "setup['torch_is_there'].__globals__['target_paths'] = lambda: ['/nowhere'];"
        "sys.path[:] = [p for p in sys.path if 'packages' not in p]; before = list(sys.path);"
        "print(setup['torch_is_there'](), sys.path == before)"
    )
    command = [sys.executable, "-c", program, str(ROOT / "setup.py"), str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "True"]
