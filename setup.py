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
TORCH_CUDA_ARCH_LIST  architectures to compile for (default: that of the visible GPU; without one,
                      all of ``ARCHITECTURES`` that the toolkit knows)
MAX_JOBS              compilers run side by side
DTPINN_SANITIZE       address, undefined, or both with a comma between: compile the C++ part so
                      that an access out of bounds, or undefined behaviour, ends the process (gcc)

A sanitized extension only loads into a Python that was started with the sanitizer's library, so it
is built beside the usual one, never in its place. ``.ci/sanitized`` does that and runs its tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import site
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.sdist import sdist

PINNED_TORCH = "torch==2.13.*"  # for a bare environment; tested with 2.11 to 2.14
RUNTIME = ["numpy>=1.26", "scipy>=1.11", "shapely>=2.0", "matplotlib>=3.8", "tqdm>=4.60"]
ARCHITECTURES = ("7.5", "8.0", "8.6", "9.0", "10.0", "12.0")
# Without this flag at::parallel_for is silently serial. Apple's clang refuses it (it wants libomp),
# so a Mac gets serial kernels; nobody has tried that build. Linux means gcc: clang ignores
# `#pragma GCC target`, which gives the files of csrc/cpu their instruction sets.
OPENMP = [] if sys.platform == "darwin" else ["-fopenmp"]
SANITIZERS = ("address", "undefined")
ROOT = Path(__file__).parent


def target_paths() -> list[str]:
    """Where the target environment looks for packages, in Python's own order.

    Isolation hides these directories but leaves the interpreter, hence ``sys.prefix``. It also sets
    PYTHONNOUSERSITE, so whether the user's site is enabled in the target cannot be asked: it counts
    wherever Python enables it by default, which is anywhere but in a venv of its own.
    """
    own = site.getsitepackages([sys.prefix])
    user = site.getusersitepackages()
    if sys.prefix == sys.base_prefix:
        return [user, *own]
    settings = (Path(sys.prefix) / "pyvenv.cfg").read_text()
    if re.search(r"(?im)^include-system-site-packages\s*=\s*true\s*$", settings):
        return [*own, user, *site.getsitepackages([sys.base_prefix])]
    return own


def torch_is_there() -> bool:
    """Find torch on the path, or in the environment that pip's isolation hides, and reveal it."""

    def found() -> bool:
        spec = importlib.util.find_spec("torch")
        return spec is not None and spec.origin is not None  # None: a bare directory named torch

    if not found():
        # All of them, as torch's own requirements may lie elsewhere; at the end, where they cannot
        # hide the build requirements.
        visible = list(sys.path)
        sys.path += target_paths()
        if not found():
            sys.path[:] = visible
    return found()


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


def ask_nvcc(toolkit: Path, question: str) -> str:
    command = [toolkit / "bin" / "nvcc", question]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def toolkit_version(toolkit: Path) -> str:
    match = re.search(r"release (\d+\.\d+)", ask_nvcc(toolkit, "--version"))
    return match.group(1) if match else "unknown"


def choose_toolkit() -> Path | None:
    """The toolkit to build with, or None for a build without CUDA.

    Never decided by ``torch.cuda.is_available()``: the machine that builds need not have a GPU.
    """
    from torch import version

    wish = os.environ.get("DTPINN_CUDA", "").strip()
    if wish not in ("", "0", "1"):
        raise SystemExit(f"dtpinn: DTPINN_CUDA must be 0 or 1, got {wish!r}")
    if wish == "0":
        return None
    toolkit = find_toolkit()
    if version.hip is not None:
        reason = f"this torch is a ROCm build (HIP {version.hip}), and the kernels are CUDA only"
    elif version.cuda is None:
        reason = "this torch is a CPU build"
    elif toolkit is None:
        reason = "no CUDA toolkit was found (set CUDA_HOME)"
    elif (found := toolkit_version(toolkit)).split(".")[0] != version.cuda.split(".")[0]:
        reason = f"torch was built with CUDA {version.cuda}, the toolkit in {toolkit} is {found}"
    else:
        return toolkit
    if wish == "1":
        raise SystemExit(f"dtpinn: DTPINN_CUDA=1, but {reason}")
    print(f"dtpinn: building without CUDA: {reason}")
    return None


def known_architectures(listing: str) -> str:
    """``nvcc --list-gpu-arch`` -> those of ARCHITECTURES that it knows, as TORCH_CUDA_ARCH_LIST."""
    known = {f"{major}.{minor}" for major, minor in re.findall(r"compute_(\d+)(\d)\b", listing)}
    return ";".join(each for each in ARCHITECTURES if each in known) + "+PTX"


def choose_architectures(toolkit: Path) -> str:
    """Settle TORCH_CUDA_ARCH_LIST, and return in words what will be compiled."""
    import torch

    wish = os.environ.pop("TORCH_CUDA_ARCH_LIST", "").strip()
    if wish in ("", "native") and torch.cuda.is_available():  # left to cpp_extension
        gpus = {torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())}
        seen = ";".join(f"{major}.{minor}" for major, minor in sorted(gpus))
        return f"{seen}+PTX, of the visible GPU"
    if wish in ("", "native"):  # where cpp_extension would stop with an IndexError
        wish = known_architectures(ask_nvcc(toolkit, "--list-gpu-arch"))
    os.environ["TORCH_CUDA_ARCH_LIST"] = wish
    return wish


def choose_sanitizers() -> list[str]:
    """What DTPINN_SANITIZE asks for, in the order of SANITIZERS."""
    wish = os.environ.get("DTPINN_SANITIZE", "").strip()
    names = {name.strip() for name in wish.split(",")} if wish else set()
    if unknown := sorted(names - {*SANITIZERS}):
        raise SystemExit(
            f"dtpinn: DTPINN_SANITIZE must be one or more of {', '.join(SANITIZERS)}, separated by "
            f"commas, got {wish!r}, of which {', '.join(map(repr, unknown))} is not known. (There "
            "is no thread here: torch and OpenMP would have to be built with it as well; "
            "tests/sparse/test_races.py runs the kernels alone under it.)"
        )
    return [name for name in SANITIZERS if name in names]


def optimization(sanitizers: list[str]) -> tuple[list[str], list[str]]:
    """Flags that compile and flags that link. The kernels are vector code at -O2 as at -O3."""
    if not sanitizers:
        return ["-O3", "-g0"], []  # Python's own flags ask for -g: half the time to compile
    flags = ["-O2", "-g1", "-fno-omit-frame-pointer", "-D_GLIBCXX_ASSERTIONS"]
    if "address" in sanitizers:  # checks as calls, not inline: half the time to compile
        flags += ["--param", "asan-instrumentation-with-call-threshold=0"]
    fatal = [f"-fsanitize={','.join(sanitizers)}", "-fno-sanitize-recover=all"]
    return [*flags, *fatal], fatal


def relative(paths) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def make_extension(toolkit: Path | None) -> Extension:
    import torch

    if toolkit is not None:
        os.environ["CUDA_HOME"] = str(toolkit)  # before cpp_extension looks for itself
    from torch.utils import cpp_extension

    make = cpp_extension.CppExtension
    csrc = ROOT / "csrc"
    of_cuda = csrc / "cuda"  # this folder, and no other file, needs the toolkit
    sources = [path for path in csrc.rglob("*.cpp") if of_cuda not in path.parents]
    sanitizers = choose_sanitizers()
    optimize, instrument = optimization(sanitizers)
    # A square root that may set errno is a call; the stencils' kernels want it as an instruction.
    compile_args = {"cxx": [*optimize, *OPENMP, "-fno-math-errno", "-fvisibility=hidden", "-Wall"]}
    # Nothing reads this one: another torch changes the command line, and so compiles all anew.
    macros = [("DTPINN_TORCH", f'"{torch.__version__}"')]
    if sanitizers:
        macros.append(("DTPINN_SANITIZE", f'"{",".join(sanitizers)}"'))
    if toolkit is not None:
        make = cpp_extension.CUDAExtension
        sources += [path for path in of_cuda.rglob("*") if path.suffix in (".cpp", ".cu")]
        compile_args["nvcc"] = ["-O3"]
        macros += [
            ("DTPINN_WITH_CUDA", None),
            ("DTPINN_CUDA_VERSION", f'"{toolkit_version(toolkit)}"'),
            ("DTPINN_CUDA_ARCHITECTURES", f'"{choose_architectures(toolkit)}"'),
        ]
    return make(
        "dtpinn._C",
        relative(sources),
        # Everything, whatever this build compiles: what is listed is what a source archive holds.
        depends=relative(path for path in csrc.rglob("*") if path.is_file()),
        define_macros=macros,
        extra_compile_args=compile_args,
        extra_link_args=[*OPENMP, *instrument],
    )


def make_build_command(toolkit: Path | None):
    import torch
    from torch.utils.cpp_extension import BuildExtension

    built = {"torch": torch.__version__, "cuda": toolkit and toolkit_version(toolkit)}

    class Build(BuildExtension):
        """Also records what was built against, to be read before the extension is loaded."""

        def record(self) -> Path:
            return Path(self.build_lib) / "dtpinn" / "_build.json"

        def run(self) -> None:
            if self.inplace and choose_sanitizers():
                raise SystemExit(
                    "dtpinn: DTPINN_SANITIZE is set, and a sanitized extension in the checkout "
                    "would stop every Python that imports it. Unset it, or run .ci/sanitized, "
                    "which builds beside the checkout's own."
                )
            # By its dates an extension that was built for another torch, or without CUDA, looks up
            # to date. ninja knows better what to compile again.
            self.force = True
            super().run()
            self.record().write_text(json.dumps(built) + "\n")
            if self.inplace:
                shutil.copy(self.record(), Path(self.get_ext_fullpath("dtpinn._C")).parent)

        def get_outputs(self) -> list[str]:
            return [*super().get_outputs(), str(self.record())]

    return Build


class SourceArchive(sdist):
    """Holds no record of a local build."""

    def make_release_tree(self, base_dir, files) -> None:
        """Leave it out even where an old SOURCES.txt, which setuptools reads back, lists it."""
        files = [file for file in files if Path(file).name != "_build.json"]
        super().make_release_tree(base_dir, files)


def main() -> None:
    if torch_is_there():
        import torch

        minor = ".".join(torch.__version__.split(".")[:2])
        toolkit = choose_toolkit()
        # Apart from the usual build, which would otherwise have to compile everything again.
        apart = {"build": {"build_base": "build/sanitizer"}} if choose_sanitizers() else {}
        setup(
            options=apart,
            install_requires=[f"torch=={minor}.*", *RUNTIME],
            ext_modules=[make_extension(toolkit)],
            cmdclass={"build_ext": make_build_command(toolkit), "sdist": SourceArchive},
        )
    elif sys.argv[1:2] == ["egg_info"]:
        setup(setup_requires=[PINNED_TORCH])
    else:
        raise SystemExit(
            "dtpinn: torch was not found, and the extension is compiled against it. Run\n"
            "    pip install torch setuptools ninja && pip install --no-build-isolation .\n"
            "or let pip do both with: pip install ."
        )


if __name__ == "__main__":  # pip runs this file as a program; a test imports it
    main()
