"""CUDA sources made into programs for the CPU: g++, the headers in `shim` for CUDA's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SHIM = HERE / "shim"
KERNELS = HERE.parent.parent / "csrc/cuda/csr.cu"
COMPILER = os.environ.get("CXX", "g++")

# What watches the kernels of a program. Only they are compiled with it: the shim is not, so that
# its own bookkeeping is no data race.
BUILDS = {
    "plain": [],
    "address": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "thread": ["-fsanitize=thread"],
}
SHIM_FLAGS = ["-std=c++17", "-O2", "-fPIC", f"-I{SHIM}", "-c"]
SMALL = "-DDOUBLE_AND_INT32_ONLY"
# As on a GPU, only an explicit fma is one. What is not set starts as a number that no test expects.
KERNEL_FLAGS = ["-std=c++17", "-O1", "-g1", "-ffp-contract=off", "-ftrivial-auto-var-init=pattern"]
SHARED_MEMORY = f"-Wl,-T,{SHIM / 'shared_memory.ld'}"
AS_CUDA = [f"-I{SHIM}", "-x", "c++", "-c"]

# .ci/sanitized preloads AddressSanitizer into Python; these programs bring their own.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"} | {
    "ASAN_OPTIONS": "detect_leaks=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


class Unavailable(Exception):
    """What this machine lacks."""


def run(*command) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


def compile_checked(*command) -> None:
    done = run(COMPILER, *command)
    if done.returncode != 0:
        raise RuntimeError(f"{COMPILER} does not compile {command[-1]}:\n{done.stderr}")


@dataclass(frozen=True)
class Program:
    """An executable and what it has to be started with."""

    command: tuple[str | Path, ...]


class Toolchain:
    """Compiles the shim once, then kernels against it."""

    def __init__(self, place: Path) -> None:
        if shutil.which(COMPILER) is None:
            raise Unavailable(f"no {COMPILER} on this machine")
        self.place = place
        self.starters = {build: self._starter(build) for build in BUILDS}
        if self.starters["plain"] is None:
            raise Unavailable(f"{COMPILER} is not a GNU compiler with a GNU linker, 12 or later")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            driver = pool.submit(self._compile_shim, HERE / "driver.cpp")
            small_driver = pool.submit(self._compile_shim, HERE / "driver.cpp", SMALL)
            self.shim = list(pool.map(self._compile_shim, sorted(SHIM.glob("*.cpp"))))
        self.driver, self.small_driver = driver.result(), small_driver.result()

    def _starter(self, build: str) -> tuple[str, ...] | None:
        """What a program of this build is started with here; None if it does not run at all."""
        source, program = self.place / "probe.cpp", self.place / f"probe_{build}"
        # The attribute and the linker script are GNU's, and so is a flag.
        source.write_text("[[gnu::noinit]] static char array[9];\nint main() { return *array; }\n")
        flags = [*KERNEL_FLAGS, *BUILDS[build], "-Werror", SHARED_MEMORY]
        made = run(COMPILER, *flags, source, "-o", program)
        if made.returncode != 0:
            return None
        # Where a kernel spreads addresses wider than ThreadSanitizer expects, it starts only by
        # chance unless they are fixed.
        fixed = [("setarch", "-R")] if build == "thread" and shutil.which("setarch") else []
        for prefix in (*fixed, ()):
            if run(*prefix, program).returncode == 0:
                return prefix
        return None

    def _compile_shim(self, source: Path, *flags: str) -> Path:
        made = self.place / f"{source.stem}{''.join(flags)}.o"
        compile_checked(*SHIM_FLAGS, *flags, "-o", made, source)
        return made

    def program(self, source: Path, build: str, name: str, *objects: Path) -> Program:
        """`source`, a .cu file, as a program; `objects` are linked with it."""
        starter = self.starters[build]
        if starter is None:
            raise Unavailable(f"{COMPILER} makes no program of the {build} build that runs here")
        kernels, program = self.place / f"{name}_{build}.o", self.place / f"{name}_{build}"
        compile_checked(*KERNEL_FLAGS, *BUILDS[build], *AS_CUDA, "-o", kernels, source)
        compile_checked(*BUILDS[build], SHARED_MEMORY, *self.shim, *objects, "-o", program, kernels)
        return Program((*starter, program))

    def library(
        self, sources: list[Path], place: Path, flags: list[str], libraries: list[str]
    ) -> Path:
        """`sources`, C++ above the launchers, and all beneath them, for a Python to load."""
        kernels, library = place / "kernels.o", place / "bound.so"
        commands = [(*KERNEL_FLAGS, "-fPIC", *AS_CUDA, "-o", kernels, KERNELS)]
        objects = [place / f"{source.stem}.o" for source in sources]
        for source, made in zip(sources, objects, strict=True):
            commands.append(("-std=c++20", "-fPIC", f"-I{SHIM}", *flags, "-c", "-o", made, source))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda command: compile_checked(*command), commands))
        linked = [*self.shim, *objects, *libraries, "-o", library, kernels]
        compile_checked("-shared", "-Wl,-Bsymbolic", SHARED_MEMORY, *linked)
        return library

    def launchers(self, build: str) -> Program:
        """The launchers of csrc/cuda behind `driver.cpp`."""
        return self.program(KERNELS, build, "csr", self.driver)

    def small_launchers(self, build: str, source: Path, name: str) -> Program:
        """Those of a copy that has them for float64 and int32 alone."""
        return self.program(source, build, name, self.small_driver)
