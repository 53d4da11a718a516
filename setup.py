"""Build of the compiled part, dtpinn._C. Everything else is in pyproject.toml.

The extension registers autograd in C++ and so belongs to one minor version of torch. Three rules
keep it and the torch it runs on together:

- a torch that is already in the target environment is the one to build against, also under pip's
  build isolation, which hides it;
- in a bare environment torch is requested as a build requirement, through the one hook that runs
  before anything is compiled (``egg_info``);
- the release that was built against becomes the requirement of the installed package.

Environment variables:

DTPINN_CUDA           0 or 1: leave the CUDA sources out, or insist on them (default: build them
                      when torch is a CUDA build and its toolkit is found)
CUDA_HOME             the CUDA toolkit
TORCH_CUDA_ARCH_LIST  architectures to compile for (default: see ``DEFAULT_ARCHITECTURES``)
MAX_JOBS              compilers run side by side
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

PINNED_TORCH = "torch==2.13.*"  # for a bare environment; tested with 2.11 to 2.14
RUNTIME = ["numpy>=1.26", "scipy>=1.11", "matplotlib>=3.8", "threadpoolctl>=3", "tqdm>=4.60"]
DEFAULT_ARCHITECTURES = "7.5;8.0;8.6;9.0;12.0+PTX"
ROOT = Path(__file__).parent


def torch_is_there() -> bool:
    """Find torch on the path, or in the environment that pip's isolation hides, and reveal it."""
    if importlib.util.find_spec("torch") is None:
        hidden = sysconfig.get_path("platlib")
        if (Path(hidden) / "torch" / "version.py").is_file():
            sys.path.append(hidden)
    return importlib.util.find_spec("torch") is not None


def find_toolkit() -> Path | None:
    """The CUDA toolkit that really holds ``cuda_runtime.h``.

    torch looks beside ``nvcc`` on the PATH, which is wrong where that is a wrapper script.
    """
    candidates = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    if nvcc := shutil.which("nvcc"):
        candidates.append(str(Path(nvcc).resolve().parent.parent))
    for candidate in filter(None, candidates):
        root = Path(candidate)
        if (root / "include" / "cuda_runtime.h").is_file() and (root / "bin" / "nvcc").is_file():
            return root
    return None


def toolkit_version(toolkit: Path) -> str:
    text = subprocess.run(
        [toolkit / "bin" / "nvcc", "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"release (\d+\.\d+)", text)
    return match.group(1) if match else "unknown"


def choose_toolkit(torch_cuda: str | None) -> Path | None:
    """The toolkit to build with, or None for a build without CUDA.

    Never decided by ``torch.cuda.is_available()``: the machine that builds need not have a GPU.
    """
    wish = os.environ.get("DTPINN_CUDA", "").strip()
    if wish not in ("", "0", "1"):
        raise SystemExit(f"dtpinn: DTPINN_CUDA must be 0 or 1, got {wish!r}")
    if wish == "0":
        return None
    toolkit = find_toolkit()
    if torch_cuda is None:
        reason = "this torch is a CPU build"
    elif toolkit is None:
        reason = "no CUDA toolkit was found (set CUDA_HOME)"
    elif (found := toolkit_version(toolkit)).split(".")[0] != torch_cuda.split(".")[0]:
        reason = f"torch was built with CUDA {torch_cuda}, the toolkit in {toolkit} is {found}"
    else:
        return toolkit
    if wish == "1":
        raise SystemExit(f"dtpinn: DTPINN_CUDA=1, but {reason}")
    print(f"dtpinn: building without CUDA: {reason}")
    return None


def relative(paths) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def make_extension() -> Extension:
    import torch

    toolkit = choose_toolkit(torch.version.cuda)
    if toolkit is not None:
        os.environ["CUDA_HOME"] = str(toolkit)  # before cpp_extension looks for itself
        os.environ.setdefault("TORCH_CUDA_ARCH_LIST", DEFAULT_ARCHITECTURES)
    from torch.utils import cpp_extension

    csrc = ROOT / "csrc"
    sources = [path for path in csrc.rglob("*.cpp") if path.name != "cuda.cpp"]
    compile_args = {"cxx": ["-O3", "-fopenmp", "-fvisibility=hidden", "-Wall"]}
    kwargs: dict = {}
    if toolkit is None:
        make = cpp_extension.CppExtension
    else:
        make = cpp_extension.CUDAExtension
        sources += [csrc / "csr" / "cuda.cpp", *csrc.rglob("*.cu")]
        compile_args["nvcc"] = ["-O3"]
        kwargs["define_macros"] = [
            ("DTPINN_WITH_CUDA", None),
            ("DTPINN_CUDA_VERSION", f'"{toolkit_version(toolkit)}"'),
            ("DTPINN_CUDA_ARCHITECTURES", '"{}"'.format(os.environ["TORCH_CUDA_ARCH_LIST"])),
        ]
    return make(
        "dtpinn._C",
        relative(sources),
        depends=relative(path for path in csrc.rglob("*") if path.suffix in (".h", ".inl", ".cuh")),
        extra_compile_args=compile_args,
        extra_link_args=["-fopenmp"],
        **kwargs,
    )


def make_build_command():
    from torch.utils.cpp_extension import BuildExtension

    class Build(BuildExtension):
        """Also records what was built against, to be read before the extension is loaded."""

        def run(self) -> None:
            super().run()
            import torch

            package = Path(self.get_ext_fullpath("dtpinn._C")).parent
            package.mkdir(parents=True, exist_ok=True)
            record = {"torch": torch.__version__, "cuda": torch.version.cuda}
            (package / "_build.json").write_text(json.dumps(record) + "\n")

    return Build


def main() -> None:
    if torch_is_there():
        import torch

        minor = ".".join(torch.__version__.split(".")[:2])
        setup(
            install_requires=[f"torch=={minor}.*", *RUNTIME],
            ext_modules=[make_extension()],
            cmdclass={"build_ext": make_build_command()},
        )
    elif sys.argv[1:2] == ["egg_info"]:
        setup(setup_requires=[PINNED_TORCH])
    else:
        raise SystemExit(
            "dtpinn: torch was not found, and the extension is compiled against it. Run\n"
            "    pip install torch setuptools ninja && pip install --no-build-isolation .\n"
            "or let pip do both with: pip install ."
        )


main()
