"""The oracle of the gradient in the values and our own agree."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from bench.sampled import sampled
from tests.sparse.matrices import MATRICES


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", MATRICES)
def test_it_is_the_gradient_of_our_product_in_the_values(name, dtype):
    """Each entry is a sum of k products: (k + 1) eps sum |y| |x|, for either side."""
    constant = dtpinn.CSR.from_scipy(MATRICES[name])
    values = constant.values.to(dtype).requires_grad_()
    A = dtpinn.CSR(constant.crow, constant.col, values, constant.shape)
    for more in ((), (0,), (1,), (3,)):
        x, y = (torch.randn(n, *more).to(dtype) for n in A.shape[::-1])
        (wanted,) = torch.autograd.grad(A(x), values, y)
        got = sampled(A, y, x)
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        terms = max((1, *more)) + 1
        bound = 2 * terms * torch.finfo(dtype).eps * sampled(A, y.abs(), x.abs())
        assert torch.all((got - wanted).abs() <= bound)
