"""The compiler's word on the kernels, and proof that each check of it can fail.

TEST_ARCHITECTURES in the environment, such as "80 86 89 100", replaces the usual architectures.
"""

from __future__ import annotations

import os

import pytest

from tests.cuda import compiled, toolkit

ASKED = os.environ.get("TEST_ARCHITECTURES", "").split()
USUAL = "90"  # where not all is run
ARCHITECTURES = ASKED or [
    pytest.param(each, marks=() if each == USUAL else pytest.mark.full)
    for each in compiled.ARCHITECTURES
]

# Kernels that each do one thing wrong, and what has to be said of them.
BAD = {
    "keeps_more_than_it_has_registers": (
        "double* x",
        "double y[40]; for (int i = 0; i < 40; ++i) y[i] = x[i * 7]; __syncthreads();"
        "for (int j = 1; j < 4; ++j)"
        " for (int i = 0; i < 40; ++i) y[i] = fma(y[i * j % 40], y[i], 1.0);"
        "for (int i = 0; i < 40; ++i) x[i * 7] = y[i];",
        "bytes of spilled registers",
    ),
    "indexes_an_array_of_its_own": (
        "double* x, int k",
        "double y[16]; for (int i = 0; i < 16; ++i) y[i] = x[i * k]; x[0] = y[k & 15];",
        "bytes of stack",
    ),
    "multiplies_in_float": ("double* x", "x[0] = 3.1f * float(x[1]);", "float arithmetic"),
    "rounds_to_float": ("double* x", "x[0] = float(x[1]);", "float arithmetic"),
    "counts_in_float": ("double* x, int k", "x[0] = float(k);", "float arithmetic"),
    "takes_a_root_in_float": (
        "double* x, int* k",
        "k[0] = __float_as_int(sqrtf(__int_as_float(k[1])));",
        "float arithmetic",
    ),
    "adds_in_double": ("float* x", "x[0] = float(x[1] + 0.1);", "double arithmetic"),
    "weighs_integers": ("int* k", "k[0] = int(k[1] * 0.1);", "double arithmetic"),
    "multiplies_in_half": (
        "float* x, unsigned short* h",
        'asm("mul.f16 %0, %0, %0;" : "+h"(h[0]));',
        "half arithmetic",
    ),
    "adds_atomically": ("double* x", "atomicAdd(x, x[1]);", "atomics"),
    "reads_what_it_adds_to": ("double* x", "x[1] = atomicAdd(x, 1.0);", "atomics"),
    "counts_in_shared_memory": (
        "int* k",
        "__shared__ int s; s = 0; __syncthreads(); atomicAdd(&s, k[threadIdx.x]);"
        "__syncthreads(); k[0] = s;",
        "atomics",
    ),
}
# The compiler divides integers with a reciprocal in fp32, doubles with comparisons and moves in
# fp32, and moves constants with products in fp16: none of it is a fault.
GOOD = {
    "divides_integers": ("double* x, long a, int b", "x[a / b] = 1; x[b % int(a)] = 2;"),
    "divides_doubles": ("double* x", "x[0] = sqrt(x[1] / x[2]);"),
    "chooses": ("double* x, int k", "x[0] = k > 3 ? fmax(x[1], x[2]) : fabs(x[k]);"),
    "computes_in_float": ("float* x", "x[0] = x[1] / x[2] + sqrtf(x[3]);"),
    "converts_on_purpose": ("double* x, float* y", "x[0] += y[0] * 3.0f;"),
}


@pytest.fixture(scope="module")
def nvcc() -> str:
    found = toolkit.find("nvcc")
    if found is None:
        pytest.skip(toolkit.MISSING.format("nvcc"))
    return found


@pytest.fixture(scope="module", params=ARCHITECTURES, ids="sm_{}".format)
def architecture(request, nvcc) -> str:
    if request.param not in compiled.known_architectures(nvcc):
        pytest.skip(f"{nvcc} does not compile for sm_{request.param}")
    return request.param


@pytest.fixture(params=["machine code", "PTX"])
def language(request, monkeypatch) -> str:
    """What the instructions are read from."""
    if request.param == "PTX":
        monkeypatch.setattr(toolkit, "find", lambda tool: None)
    elif toolkit.find("nvdisasm") is None:
        pytest.skip(toolkit.MISSING.format("nvdisasm"))
    return request.param


@pytest.mark.full
@pytest.mark.parametrize("source", compiled.SOURCES, ids=lambda source: source.name)
def test_kernels_stay_in_registers_in_their_precision_and_without_atomics(
    source, architecture, nvcc
):
    kernels = compiled.compile_kernels(source, architecture, nvcc)
    assert {kernel.name: kernel.faults for kernel in kernels if kernel.faults} == {}
    assert all(kernel.registers > 0 for kernel in kernels)


def test_there_are_sources():
    assert compiled.SOURCES


@pytest.fixture
def judge(tmp_path, architecture, nvcc):
    """Compile kernels -> what is said of each."""

    def judge(kernels: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
        source = tmp_path / "judged.cu"
        start = "__global__ void __launch_bounds__(1024)"  # 64 registers for each thread
        source.write_text(
            "\n".join(
                f"{start} {name}({rest[0]}) {{ {rest[1]} }}" for name, rest in kernels.items()
            )
        )
        return {k.name: k.faults for k in compiled.compile_kernels(source, architecture, nvcc)}

    return judge


def test_every_fault_is_named(judge, language):
    said = judge(BAD)
    assert said.keys() == BAD.keys()
    for name, (*_, expected) in BAD.items():
        assert any(expected in fault for fault in said[name]), f"{name}: {said[name]}"


def test_what_the_compiler_needs_is_no_fault(judge, language):
    assert judge(GOOD) == {name: [] for name in GOOD}


def test_a_warning_ends_the_compilation_in_the_compilers_words(judge):
    with pytest.raises(RuntimeError, match=r"(?s)nvcc failed.*\"spare\".*never referenced"):
        judge({"careless": ("double* x", "int spare; x[0] = 1;")})


def test_a_source_without_kernels_is_refused(judge):
    with pytest.raises(RuntimeError, match=r"judged.cu: the compiler's report names no kernels"):
        judge({})


@pytest.mark.full  # .ci/cuda runs the program itself
def test_the_program_prints_registers_and_faults_and_its_status_tells(
    nvcc, tmp_path, monkeypatch, capsys
):
    source = tmp_path / "some.cu"
    good = "template <int n> __global__ void good(double* x) { x[0] *= n; }"
    good += "template __global__ void good<16>(double*); template __global__ void good<4>(double*);"
    source.write_text(good)
    monkeypatch.setattr(compiled, "SOURCES", [source])
    assert compiled.main(["90", "75"]) == 0
    _, head, first, second, verdict = capsys.readouterr().out.splitlines()
    assert head.split() == ["kernel", "sm_75", "sm_90", "shared", "barriers"]
    assert first.startswith("good<4> ")
    assert second.startswith("good<16> ")
    assert verdict.startswith("No spills")
    source.write_text(good + "__global__ void bad(double* x) { atomicAdd(x, 1.0); }")
    assert compiled.main(["90"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("bad (sm_90): atomics: ")


def test_without_a_compiler_the_program_says_what_would_bring_one(monkeypatch, capsys):
    monkeypatch.setattr(toolkit, "find", lambda tool: None)
    assert compiled.main([]) == 0
    assert "skipped: no nvcc on this machine (pip install" in capsys.readouterr().out
