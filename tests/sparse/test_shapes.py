"""Operands of every shape and layout that torch.matmul takes for a matrix, from both sides."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

import dtpinn
from tests.sparse.matrices import MATRICES

A = dtpinn.CSR.from_scipy(MATRICES["random"])  # 70 x 90
DENSE = torch.from_numpy(MATRICES["random"].toarray())


@pytest.mark.parametrize("lead", [(), (1,), (3,), (2, 3), (0,), (2, 0), (2, 1, 2)], ids=str)
@pytest.mark.parametrize("k", [0, 1, 3, 25])
def test_leading_dimensions(lead, k):
    x, y = torch.randn(*lead, 90, k), torch.randn(*lead, 70, k)
    for ours, wanted in ((A @ x, DENSE @ x), (A.T @ y, DENSE.T @ y)):
        assert_close(ours, wanted)
        assert ours.is_contiguous()


@pytest.mark.parametrize("lead", [(), (1,), (5,), (2, 3), (0,)], ids=str)
def test_from_the_left(lead):
    x, y = torch.randn(*lead, 70), torch.randn(*lead, 90)
    for ours, wanted in ((x @ A, x @ DENSE), (y @ A.T, y @ DENSE.T)):
        assert_close(ours, wanted)
        assert ours.is_contiguous()


def test_gradients_from_the_left():
    x = torch.randn(5, 70, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: torch.sin(x @ A), x, fast_mode=True)


def randn(*shape):
    return torch.randn(*shape, dtype=torch.float64)  # made before the tests set their default


def strided(*shape):
    return randn(*(2 * n for n in shape))[tuple(slice(None, None, 2) for _ in shape)]


@pytest.mark.parametrize(
    "x",
    [
        randn(3, 90).mT,
        randn(7, 90)[2],
        randn(90, 7)[:, 3],
        randn(90, 1).expand(90, 4),
        randn(1, 1).expand(90, 4),
        randn(1).expand(90),
        randn(90, 8).flip(0)[:, ::3],
        strided(90),
        strided(90, 3),
        strided(2, 90, 3),
        randn(90, 3, 2).permute(2, 0, 1),
        randn(1, 90, 3).expand(4, 90, 3),
        randn(100)[7:97],
    ],
    ids=lambda x: f"{tuple(x.shape)} strides {x.stride()}",
)
def test_any_strides(x):
    assert_close(A @ x, DENSE @ x)
    leaf = x.detach().requires_grad_()
    (A @ leaf).square().sum().backward()
    assert_close(leaf.grad, 2 * DENSE.T @ (DENSE @ x))


def test_gradients_of_leading_dimensions_add_up_in_the_values():
    values = A.values.clone().requires_grad_()
    B = dtpinn.CSR(A.crow, A.col, values, A.shape)
    x, g = torch.randn(2, 3, 90, 4), torch.randn(2, 3, 70, 4)
    (B @ x).backward(g)
    dense = torch.einsum("abik,abjk->ij", g, x)
    assert_close(values.grad, dense[B.to_dense().nonzero(as_tuple=True)])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_empty_matrices(shape, lead):
    rows, columns = shape
    E = dtpinn.CSR.from_dense(torch.zeros(shape))
    x = torch.randn(*lead, columns, 3, requires_grad=True)
    y = E @ x
    assert_close(y, torch.zeros(*lead, rows, 3))
    y.sum().backward()
    assert_close(x.grad, torch.zeros_like(x))
    assert (torch.randn(*lead, 2, rows) @ E).shape == (*lead, 2, columns)
