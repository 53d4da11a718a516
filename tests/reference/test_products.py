"""The reference products and our own agree, in values and derivatives, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import dtpinn
from dtpinn.reference import CuPyProduct, SciPyProduct, TorchProduct, cupy_unavailable
from tests.sparse.matrices import MATRICES, magnitude

COLUMNS = [None, 0, 1, 3, 25]
DTYPES = [np.float64, np.float32]
# cuSPARSE may add the terms of a row in another order from one call to the next.
CHECK = {"nondet_tol": 1e-12}


def on_cpu(matrix):
    A = dtpinn.CSR.from_scipy(matrix)
    return A, SciPyProduct(A)


def by_torch(matrix):
    A = dtpinn.CSR.from_scipy(matrix)
    return A, TorchProduct(A)


def on_gpu(matrix):
    reason = cupy_unavailable()
    if reason is not None:
        pytest.skip(reason)
    A = dtpinn.CSR.from_scipy(matrix).to("cuda")
    return A, CuPyProduct(A)


@pytest.fixture(params=[on_cpu, by_torch, pytest.param(on_gpu, marks=pytest.mark.gpu)])
def both(request):
    """From a SciPy matrix to our product and the reference's, on one device."""
    return request.param


def random(rows, k, like) -> torch.Tensor:
    shape = (rows,) if k is None else (rows, k)
    return torch.randn(shape, dtype=like.dtype, device=like.device)


def assert_close(got, wanted, matrix, x):
    """Two sums of the same products differ by at most 2 (n + 1) eps |A| |x|, n the longest row:
    each errs by at most half of that, whatever its order (tests/sparse/test_product.py)."""
    assert (got.shape, got.dtype, got.device) == (wanted.shape, wanted.dtype, wanted.device)
    longest = int(np.diff(matrix.indptr).max(initial=0))
    size = magnitude(matrix) @ np.abs(x.detach().cpu().numpy())
    difference = np.abs((got - wanted).detach().cpu().numpy())
    assert np.all(difference <= 2 * (longest + 1) * torch.finfo(x.dtype).eps * size)


@pytest.mark.parametrize("name", MATRICES)
def test_product_transpose_and_gradient_agree_with_ours(both, name):
    for dtype in DTYPES:
        matrix = MATRICES[name].astype(dtype)
        transposed = matrix.T.tocsr()
        A, P = both(matrix)
        assert (P.shape, P.T.shape, P.T.T.shape) == (A.shape, A.T.shape, A.shape)
        for k in COLUMNS:
            x, y = random(A.shape[1], k, A).requires_grad_(), random(A.shape[0], k, A)
            assert_close(P(x), A(x), matrix, x)
            assert_close(P.T(y), A.T(y), transposed, y)
            assert torch.equal(P @ x, P(x))
            (gradient,) = torch.autograd.grad(P(x), x, y)
            assert_close(gradient, A.T(y), transposed, y)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("name", ["unsorted, duplicates", "1 x 1, nothing stored", "no rows"])
def test_derivatives_of_first_and_second_order(both, name, k):
    A, P = both(MATRICES[name])
    for f, rows in ((P, A.shape[1]), (P.T, A.shape[0])):
        x = random(rows, k, A).requires_grad_()
        assert gradcheck(f, (x,), **CHECK)
        assert gradgradcheck(lambda x, f=f: f(x) ** 2, (x,), **CHECK)


def test_the_second_derivative_is_not_lost(both):
    matrix = MATRICES["random"]
    A, P = both(matrix)
    x, v = random(90, None, A).requires_grad_(), random(90, None, A)
    (slope,) = torch.autograd.grad(P(x).square().sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope @ v, x)
    torch.testing.assert_close(curvature, 2 * A.T(A(v)))


def test_strided_and_expanded_operands(both):
    A, P = both(MATRICES["random"])
    wide = random(5, 90, A)
    for x in (wide.T, wide.T[:, ::2], wide[2], wide.T[:, 1], wide[0][:, None].expand(90, 3)):
        # Stretched operands arrive in the same order after the copy, so not a bit may differ.
        torch.testing.assert_close(P(x), P(x.contiguous()), rtol=0, atol=1e-14)
        torch.testing.assert_close(P(x), A(x))


@pytest.mark.parametrize(
    ("error", "message", "x"),
    [
        (TypeError, "ndarray; use torch.as_tensor", np.ones(90)),
        (TypeError, "expected torch.float64, got torch.float32", torch.ones(90).float()),
        (ValueError, "got it on meta", torch.ones(90, device="meta")),
        (ValueError, r"\(90,\) or \(90, k\), got \(70,\)", torch.ones(70)),
        (ValueError, r"got \(90, 2, 2\)", torch.ones(90, 2, 2)),
        (ValueError, r"got \(\)", torch.ones(())),
    ],
)
def test_a_wrong_operand_is_named(error, message, x):
    _, P = on_cpu(MATRICES["random"])
    if isinstance(x, torch.Tensor) and "float32" not in message:
        x = x.double()
    with pytest.raises(error, match=message):
        P(x)


def test_the_scipy_product_takes_nothing_but_a_csr():
    with pytest.raises(TypeError, match=r"SciPyProduct: expected a dtpinn\.CSR, got csr_array"):
        SciPyProduct(MATRICES["random"])


@pytest.mark.gpu
def test_the_product_waits_its_turn_on_torchs_stream():
    """Whatever CuPy ran on its own stream would read x while it is still zero."""
    A, P = on_gpu(MATRICES["equal rows of 31"])
    x = torch.zeros(80, dtype=torch.float64, device="cuda")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        torch.cuda._sleep(100_000_000)  # tens of milliseconds
        x.fill_(1.0)
        y = P(x)
    side.synchronize()
    torch.testing.assert_close(y, A(torch.ones_like(x)))
