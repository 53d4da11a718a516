"""The tanh of the fused network against correct rounding."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch

from dtpinn.models.fused import tanh_network

TYPES = [np.float64, np.float32]
LARGEST_ERROR = 2.0  # in units in the last place


def tanh_of(x):
    """Our tanh: a network of one neuron whose affine maps are the identity."""
    one, zero = torch.ones(1, 1, dtype=x.dtype), torch.zeros(1, dtype=x.dtype)
    return tanh_network(x[:, None], [one, zero, one, zero])[:, 0]


def arguments(dtype):
    """Dense where tanh is curved, log-spaced down to the smallest numbers, and around its seams.

    And below powers of two, where a unit in the last place is least beside exp(2x) - 1.
    """
    info = np.finfo(dtype)
    dense = np.concatenate([np.linspace(0.0, 2.0, 2001), np.linspace(2.0, 24.0, 701)])
    small = np.logspace(np.log10(info.smallest_subnormal) + 0.5, 1.4, 801)
    seams = np.arange(1, 60)[:, None] * (np.log(2) / 2) + np.linspace(-1, 1, 7) * 1e-3
    near = np.nextafter(np.arange(1, 60) * (np.log(2) / 2), 0)
    below = 2.0 ** -np.arange(12)[:, None] * (1 - np.linspace(0, 0.03, 101))
    ends = [info.smallest_subnormal, info.tiny, info.max, 9.01, 19.06, 20.0, 1e4]
    return np.concatenate([dense, small, seams.ravel(), near, below.ravel(), ends]).astype(dtype)


def unit_of(exact, dtype):
    """Of the last place: that of numbers below 1, as tanh is, also where it rounds to 1."""
    rounded = np.minimum(exact.astype(dtype), np.nextafter(dtype(1), dtype(0)))
    return np.spacing(rounded).astype(np.float64)


def errors_of_tanh(dtype):
    """In units in the last place, at `arguments`."""
    x = arguments(dtype)
    ours = tanh_of(torch.from_numpy(x)).numpy()
    assert np.array_equal(tanh_of(torch.from_numpy(-x)).numpy(), -ours)
    assert np.all(np.abs(ours) <= 1)
    if dtype is np.float32:
        exact, rest = np.tanh(x.astype(np.float64)), np.zeros(len(x))
    else:  # two doubles that add up to tanh
        with mpmath.workprec(120):
            numbers = [mpmath.tanh(mpmath.mpf(float(v))) for v in x]
            exact = np.array([float(v) for v in numbers])
            rest = np.array([float(v - float(v)) for v in numbers])
    return np.abs((ours.astype(np.float64) - exact) - rest) / unit_of(exact, dtype)


def check_tanh(dtype):
    errors = errors_of_tanh(dtype)
    assert errors.max() <= LARGEST_ERROR, (arguments(dtype)[errors.argmax()], errors.max())


def check_every(step):
    """Of the positive float32, from 0 to the largest, every step-th."""
    end, chunk = int(np.float32(np.inf).view(np.int32)), step << 20
    for first in range(0, end, chunk):
        x = np.arange(first, min(first + chunk, end), step, dtype=np.int32).view(np.float32)
        ours = tanh_of(torch.from_numpy(x)).numpy().astype(np.float64)
        exact = np.tanh(x.astype(np.float64))
        errors = np.abs(ours - exact) / unit_of(exact, np.float32)
        assert errors.max() <= LARGEST_ERROR, (x[errors.argmax()], errors.max())


@pytest.mark.parametrize("dtype", TYPES)
def test_tanh_is_right_to_two_units_in_the_last_place(dtype):
    check_tanh(dtype)


def test_tanh_at_infinity_of_nan_and_of_zero():
    for dtype in (torch.float64, torch.float32):
        x = torch.tensor([torch.inf, -torch.inf, torch.nan, 0.0, -0.0, 1e30], dtype=dtype)
        x = torch.cat([x, torch.zeros(40, dtype=dtype)])  # and nothing spills into its neighbours
        torch.testing.assert_close(tanh_of(x), torch.tanh(x), rtol=0, atol=0, equal_nan=True)
