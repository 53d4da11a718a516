"""The CuPy backend's own part, without a GPU: a stand-in for CuPy made of NumPy and SciPy.

It says nothing of cuSPARSE; test_products.py asks that where there is a GPU. It refuses what CuPy
would do slowly or wrongly: work outside torch's stream, a vector or matrix in another order than
cuSPARSE's, an empty array.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import dtpinn
from dtpinn.reference import CuPyProduct, cupy_unavailable
from tests.sparse.matrices import MATRICES

HANDLE = 4711


class OnHost(CuPyProduct):
    device_type = "cpu"


class Stream:
    """CuPy's streams, of both generations: made from torch's stream or from its handle."""

    entered: Stream | None = None

    def __init__(self, handle):
        self.handle = handle
        self.synchronized = False

    def __enter__(self):
        Stream.entered = self
        return self

    def __exit__(self, *_):
        Stream.entered = None

    def synchronize(self):
        self.synchronized = True


def on_torchs_stream() -> bool:
    return Stream.entered is not None and Stream.entered.handle == HANDLE


class Matrix:
    """``cupyx.scipy.sparse.csr_matrix``, as demanding as cuSPARSE; keeps all that were built."""

    built: list[Matrix]

    def __init__(self, host):
        assert on_torchs_stream()
        self.host, self.nnz, self.shape = host, host.nnz, host.shape
        self.stream = Stream.entered
        self.operand = None
        self.settled = False
        self.built.append(self)

    def sum_duplicates(self):
        assert on_torchs_stream()
        assert self.host.has_canonical_format
        self.settled = True

    def __matmul__(self, x):
        assert on_torchs_stream()
        assert x.flags.f_contiguous
        assert x.size > 0
        self.operand = x.ctypes.data
        return np.asfortranarray(self.host @ x)


def pretend_cuda(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.fixture(params=["CuPy 13", "CuPy 14"])
def matrices(request, monkeypatch) -> list[Matrix]:
    """Put the stand-in in CuPy's place; the list of device matrices that were built."""
    wrap = {"from_external": lambda stream: Stream(stream.cuda_stream)}
    cuda = SimpleNamespace(is_available=lambda: True, Stream=SimpleNamespace(**wrap))
    if request.param == "CuPy 13":
        cuda.Stream, cuda.ExternalStream = SimpleNamespace(), Stream
    sparse = SimpleNamespace(csr_matrix=Matrix)
    cupyx = SimpleNamespace(scipy=SimpleNamespace(sparse=sparse))
    for name, module in {
        "cupy": SimpleNamespace(cuda=cuda, from_dlpack=np.from_dlpack, __version__=request.param),
        "cupyx": cupyx,
        "cupyx.scipy": cupyx.scipy,
        "cupyx.scipy.sparse": sparse,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    current = SimpleNamespace(cuda_stream=HANDLE)
    pretend_cuda(monkeypatch)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: current)
    monkeypatch.setattr(Matrix, "built", [], raising=False)
    return Matrix.built


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_products_of_any_size_and_dtype(matrices, dtype):
    for matrix in MATRICES.values():
        A = dtpinn.CSR.from_scipy(matrix).to(dtype)
        P = OnHost(A)
        for more in ((), (0,), (1,), (3,)):
            x, y = (torch.randn(n, *more).to(dtype) for n in A.shape[::-1])
            torch.testing.assert_close(P(x), A(x))
            torch.testing.assert_close(P.T(y), A.T(y))


def test_strided_operands_arrive_in_column_major_order(matrices):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    P = OnHost(A)
    wide = torch.randn(5, 90)
    for x in (wide.T[:, 1], wide[0][:, None].expand(90, 3), wide.T[:, ::2], wide.T[:, :1]):
        torch.testing.assert_close(P(x), A(x))


def test_vectors_and_column_major_matrices_are_not_copied(matrices):
    P = OnHost(dtpinn.CSR.from_scipy(MATRICES["random"]))
    for x in (torch.randn(90), torch.randn(3, 90).T):
        P(x)
        assert matrices[0].operand == x.data_ptr()


def test_the_transpose_is_built_once_for_each_operator(matrices):
    A, B = (dtpinn.CSR.from_scipy(MATRICES[name]) for name in ("random", "equal rows of 31"))
    P, Q = OnHost(A), OnHost(B)
    for _ in range(2):
        for operator, own in ((P, A), (Q, B)):
            x = torch.randn(own.shape[1], requires_grad=True)
            y = torch.randn(own.shape[0])
            operator(x).backward(y)
            torch.testing.assert_close(x.grad, own.T(y))
    assert [m.shape for m in matrices] == [(70, 90), (90, 70), (64, 80), (80, 64)]


def test_indices_stay_small_and_the_upload_is_waited_for(matrices):
    OnHost(dtpinn.CSR.from_scipy(MATRICES["random"]))
    for matrix in matrices:
        assert matrix.host.indices.dtype == matrix.host.indptr.dtype == np.int32
        assert matrix.stream.synchronized
        assert matrix.settled  # and no product has to look whether columns are distinct


def test_derivatives_of_first_and_second_order(matrices):
    P = OnHost(dtpinn.CSR.from_scipy(MATRICES["unsorted, duplicates"]))
    for f in (P, P.T):
        x = torch.randn(3, 2, requires_grad=True)
        assert gradcheck(f, (x,))
        assert gradgradcheck(lambda x, f=f: f(x) ** 2, (x,))


def test_the_matrix_itself_is_left_alone(matrices):
    A = dtpinn.CSR.from_scipy(MATRICES["unsorted, duplicates"])
    before = A.col.clone(), A.values.clone()
    OnHost(A)
    assert torch.equal(A.col, before[0])
    assert torch.equal(A.values, before[1])


def test_a_matrix_on_the_cpu_is_refused(matrices):
    assert cupy_unavailable() is None
    with pytest.raises(ValueError, match=r'on a CUDA device, got it on cpu; use A.to\("cuda"\)'):
        CuPyProduct(dtpinn.CSR.from_scipy(MATRICES["random"]))


def complaint() -> str:
    with pytest.raises(RuntimeError) as error:
        CuPyProduct(dtpinn.CSR.from_scipy(MATRICES["random"]))
    assert str(error.value).endswith(cupy_unavailable())
    return str(error.value)


def test_without_a_gpu_it_says_so(monkeypatch):
    pretend_cuda(monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = complaint()
    assert "expected CuPy and a CUDA device; torch sees no CUDA device" in message
    assert "SciPyProduct" in message


def test_a_torch_for_other_devices_than_cuda_says_so(matrices, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "torch sees no CUDA device" in complaint()


def test_without_cupy_it_says_what_to_install(monkeypatch):
    pretend_cuda(monkeypatch)
    monkeypatch.setitem(sys.modules, "cupy", None)  # the next import of it fails
    assert "pip install 'dtpinn[cupy]'" in complaint()


def test_a_cupy_for_another_cuda_is_named(matrices, monkeypatch):
    monkeypatch.setattr(sys.modules["cupy"].cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "12.9")
    assert "torch with CUDA 12.9 does; pip install cupy-cuda12x" in complaint()


def test_it_takes_nothing_but_a_csr():
    with pytest.raises(TypeError, match=r"CuPyProduct: expected a dtpinn\.CSR, got csr_array"):
        CuPyProduct(MATRICES["random"])
