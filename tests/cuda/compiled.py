"""What the real compiler makes of the kernels: csrc/cuda/*.cu through nvcc, GPU by GPU.

    python -m tests.cuda.compiled [architecture ...]      # 75 90 120 where none is named

prints the registers of every kernel, and ends with status 1 where one is at fault: it keeps
registers in memory (spills, a stack), computes in another precision than its data's, or holds
atomics. The compiler's warnings are errors. No GPU is needed.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.cuda import toolkit
from tests.cuda.instructions import MACHINE_CODE, PTX, Language

SOURCES = sorted((Path(__file__).parents[2] / "csrc" / "cuda").glob("*.cu"))
ARCHITECTURES = ["75", "90", "120"]  # the oldest that nvcc 13 knows, and two of today
# ptxas could make spills an error too, but then tells nothing about the other kernels.
FLAGS = ["-O3", "-std=c++17", "-cubin", "-Werror", "all-warnings", "--resource-usage"]


@dataclass(frozen=True)
class Kernel:
    """A kernel as it was compiled for one architecture; shared memory in bytes."""

    name: str
    architecture: str
    registers: int
    shared: int
    barriers: int
    faults: list[str]


def run(*command: str | Path) -> str:
    """Output and errors of a program; RuntimeError with them where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}")
    return done.stdout


def largest(pattern: str, text: str) -> int:
    return max((int(number) for number in re.findall(pattern, text)), default=0)


def memory_faults(report: str) -> list[str]:
    """Registers that went to memory: of the kernel, and of functions that were not inlined."""
    found = {
        "stack": largest(r"(\d+) bytes (?:stack frame|cumulative stack)", report),
        "spilled registers": largest(r"(\d+) bytes spill", report),
    }
    return [f"{size} bytes of {kind}" for kind, size in found.items() if size]


def instructions(cubin: Path, ptx: Path) -> tuple[Language, dict[str, list[str]]]:
    disassembler = toolkit.find("nvdisasm")
    if disassembler is None:
        return PTX, PTX.kernels(ptx.read_text())
    return MACHINE_CODE, MACHINE_CODE.kernels(run(disassembler, "--print-code", cubin))


def known_architectures(nvcc: str) -> set[str]:
    return set(re.findall(r"sm_(\w+)", run(nvcc, "--list-gpu-code")))


def compile_kernels(source: Path, architecture: str, nvcc: str) -> list[Kernel]:
    """All kernels of a file. RuntimeError with the compiler's words where it has any to say."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        cubin = place / "compiled.cubin"
        keep = ["--keep", "--keep-dir", place]  # the PTX
        usage = run(nvcc, *FLAGS, f"-arch=sm_{architecture}", *keep, "-o", cubin, source)
        language, listings = instructions(cubin, place / f"{source.stem}.ptx")
    _, *parts = re.split(r"Compiling entry function '(\w+)'", usage)
    mangled, reports = parts[::2], parts[1::2]
    if not mangled or not {*mangled} <= {*listings}:
        raise RuntimeError(
            f"{source.name}: the compiler's report names {mangled or 'no kernels'}, its "
            f"{language.name} {[*listings]}: one of the two is not read well"
        )
    names = run("c++filt", "--no-params", *mangled).splitlines()
    signatures = run("c++filt", *mangled).splitlines()
    return [
        Kernel(
            name=re.sub(r"\(anonymous namespace\)::|\w+::", "", name),
            architecture=architecture,
            registers=largest(r"Used (\d+) registers", report),
            shared=largest(r"(\d+) bytes smem", report),
            barriers=largest(r"used (\d+) barriers", report),
            faults=memory_faults(report) + language.faults(signature, listings[symbol]),
        )
        for symbol, name, signature, report in zip(mangled, names, signatures, reports, strict=True)
    ]


def by_number(name: str) -> str:
    """A key to sort names by, in which 4 comes before 16."""
    return re.sub(r"\d+", lambda number: number[0].zfill(9), name)


def table(kernels: list[Kernel]) -> str:
    """A row for each kernel: its registers by architecture, and the most of all else."""
    architectures = sorted({each.architecture for each in kernels}, key=by_number)
    rows = [("kernel", *(f"sm_{each}" for each in architectures), "shared", "barriers")]
    for name in sorted({each.name for each in kernels}, key=by_number):
        found = {each.architecture: each for each in kernels if each.name == name}
        registers = [found[each].registers for each in architectures]
        shared = max(each.shared for each in found.values())
        barriers = max(each.barriers for each in found.values())
        rows.append((name, *map(str, [*registers, shared, barriers])))
    first, *widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([name.ljust(first), *map(str.rjust, numbers, widths)]) for name, *numbers in rows
    )


def main(architectures: list[str]) -> int:
    nvcc = toolkit.find("nvcc")
    if nvcc is None:
        print("skipped: " + toolkit.MISSING.format("nvcc"))
        return 0
    todo = itertools.product(SOURCES, architectures or ARCHITECTURES, [nvcc])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        compiled = pool.map(compile_kernels, *zip(*todo, strict=True))
        kernels = list(itertools.chain.from_iterable(compiled))
    print(f"Registers per thread, shared memory in bytes, barriers ({nvcc})")
    print(table(kernels))
    faults = [f"{k.name} (sm_{k.architecture}): {fault}" for k in kernels for fault in k.faults]
    print("\n".join(faults) or "No spills, no foreign precision, no atomics.")
    return min(len(faults), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
