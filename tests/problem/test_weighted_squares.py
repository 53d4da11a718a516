"""Sums of squares, weighted before they are squared."""

import pytest
import torch

from dtpinn.problem.weighted_squares import sum_of_squares, weighted


def test_the_gradient_of_blocks_is_that_of_the_whole():
    r = torch.linspace(-1, 1, 40_001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(sum_of_squares(r.reshape(1, -1)), r)
    assert torch.equal(slope, 2 * r.detach())


def test_what_overflows_when_squared_is_weighted_before():
    pascals = torch.full((10,), 1e25, dtype=torch.float32)
    assert float(sum_of_squares(weighted(pascals, (1e-50,), None, 10))) == pytest.approx(1.0)


def test_points_and_equations_have_weights_of_their_own():
    r = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    by_point = torch.tensor([1.0, 4.0])
    found = sum_of_squares(weighted(r, (1.0, 9.0), by_point, share=2))
    assert float(found) == pytest.approx((1 + 9 * 4 + 4 * 9 + 9 * 4 * 16) / 2)
