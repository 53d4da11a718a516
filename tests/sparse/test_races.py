"""No two threads of a kernel touch the same memory: ThreadSanitizer watches `race_driver.cpp`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.full  # compiles every kernel with a sanitizer

HERE = Path(__file__).parent
SOURCES = [HERE / "race_driver.cpp", *sorted((HERE.parent.parent / "csrc/cpu").glob("csr_*.cpp"))]
COMPILER = os.environ.get("CXX", "g++")
FLAGS = ["-std=c++17", "-O1", "-g1", "-fsanitize=thread"]
# .ci/sanitized preloads AddressSanitizer, which does not go together with this one.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def run(*command) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


def compile_all(sources: list[Path], place: Path) -> Path:
    """Side by side, then linked."""
    objects = [place / f"{source.stem}.o" for source in sources]
    compilers = [
        subprocess.Popen([COMPILER, *FLAGS, "-c", source, "-o", made], env=ENVIRONMENT)
        for source, made in zip(sources, objects, strict=True)
    ]
    assert [compiler.wait() for compiler in compilers] == [0] * len(sources)
    program = place / sources[0].stem
    linked = run(COMPILER, *FLAGS, *objects, "-o", program)
    assert linked.returncode == 0, linked.stderr
    return program


@pytest.fixture(scope="module")
def starter(tmp_path_factory) -> list[str]:
    """What a program under ThreadSanitizer has to be started with here, if one runs at all."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"no {COMPILER} on this machine")
    place = tmp_path_factory.mktemp("probe")
    (place / "probe.cpp").write_text("int main() {}\n")
    built = run(COMPILER, *FLAGS, place / "probe.cpp", "-o", place / "probe")
    if built.returncode != 0:
        pytest.skip(f"{COMPILER} has no ThreadSanitizer: {built.stderr.splitlines()[-1]}")
    # Where a kernel spreads addresses wider than the runtime expects, it wants them fixed.
    for prefix in ([], ["setarch", "-R"]):
        if (not prefix or shutil.which(prefix[0])) and not run(*prefix, place / "probe").returncode:
            return prefix
    pytest.skip("ThreadSanitizer does not start on this machine")


@pytest.fixture(scope="module")
def driver(starter, tmp_path_factory):
    program = compile_all(SOURCES, tmp_path_factory.mktemp("races"))
    return lambda *arguments: run(*starter, program, *arguments)


def test_adjacent_ranges_share_nothing_and_give_the_same_bits(driver):
    ran = driver()
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    assert "baseline: 128 runs" in ran.stdout


@pytest.mark.parametrize("kernel", ["product_vector", "product_columns", "sampled"])
@pytest.mark.parametrize("instructions", ["baseline", "avx2", "avx512"])
def test_a_shared_row_is_reported(driver, kernel, instructions):
    """The harness itself: it sees the vector stores of every instruction set."""
    if f"{instructions}:" not in driver("sets").stdout:
        pytest.skip(f"this processor has no {instructions}")
    ran = driver(kernel, instructions)
    assert ran.returncode != 0
    assert "ThreadSanitizer: data race" in ran.stderr
