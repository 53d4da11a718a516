from __future__ import annotations

import json
import sys
from importlib.machinery import EXTENSION_SUFFIXES

import pytest
import torch

from dtpinn.sparse import extension

MEND = "pip install --force-reinstall"


@pytest.fixture
def package(tmp_path):
    """Make a package from a record of its build and the compiled files that it holds."""

    def make(*files, **record):
        record = {"torch": torch.__version__, "cuda": None, **record}
        (tmp_path / "_build.json").write_text(json.dumps(record))
        for file in files:
            (tmp_path / file).touch()
        return tmp_path

    return make


def complaint(package) -> str:
    with pytest.raises(ImportError) as error:
        extension.load(package)
    return str(error.value)


def test_another_minor_version_of_torch_names_both_and_the_mend(package):
    message = complaint(package(torch="1.0.0"))
    for part in ("torch 1.0.0", f"torch {torch.__version__}", MEND, "torch==1.0.*"):
        assert part in message


def test_a_missing_extension_says_how_to_build_it(tmp_path):
    assert "pip install -e" in complaint(tmp_path)


def test_a_record_without_an_extension_names_the_file_that_is_missing(package):
    place = package()
    message = complaint(place)
    for part in (str(place), f"_C{EXTENSION_SUFFIXES[0]} was expected, nothing was found", MEND):
        assert part in message


def test_an_extension_for_another_python_is_named(package):
    message = complaint(package("_C.cpython-27-elsewhere.so"))
    for part in (f"_C{EXTENSION_SUFFIXES[0]}", "_C.cpython-27-elsewhere.so was found", MEND):
        assert part in message


@pytest.mark.parametrize(
    ("cuda", "hip", "said"),
    [(None, None, "no CUDA"), ("12.6", None, "CUDA 12.6"), (None, "7.1", "ROCm 7.1")],
)
def test_cuda_kernels_are_not_loaded_into_a_torch_without_that_cuda(
    package, monkeypatch, cuda, hip, said
):
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", hip)
    message = complaint(package(f"_C{EXTENSION_SUFFIXES[0]}", cuda="13.0"))
    for part in (f"needs a torch with CUDA 13, and this one has {said}", "with CUDA 13.0", MEND):
        assert part in message


def test_another_minor_version_of_cuda_will_do(package, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    extension.load(package(f"_C{EXTENSION_SUFFIXES[0]}", cuda="13.0"))


def test_an_extension_that_does_not_load_is_explained(package, monkeypatch):
    monkeypatch.setitem(sys.modules, "dtpinn._C", None)  # the next import of it fails
    with pytest.raises(ImportError, match=r"does not load: import of dtpinn\._C halted") as error:
        extension.load(package(f"_C{EXTENSION_SUFFIXES[0]}"))
    assert isinstance(error.value.__cause__, ImportError)
    for part in (f"built against torch {torch.__version__}, without CUDA", MEND):
        assert part in str(error.value)


def test_build_info_tells_what_was_built():
    info = extension._C.build_info()
    assert extension.minor(info["torch"]) == extension.minor(torch.__version__)
    assert info["openmp"]  # without it the kernels would be serial, silently
    assert extension._C.num_threads() == torch.get_num_threads()
