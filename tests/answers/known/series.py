"""Ratios of hyperbolic functions that do not overflow, and sums over odd numbers in closed form."""

from __future__ import annotations

import numpy as np
from scipy.special import spence

Array = np.ndarray


def cosh_ratio(a: Array, b: Array) -> Array:
    """cosh(a) / cosh(b), |a| <= b."""
    return np.exp(np.abs(a) - b) * (1 + np.exp(-2 * np.abs(a))) / (1 + np.exp(-2 * b))


def odd_sines(x: Array, y: Array) -> Array:
    """Sum over odd n of exp(-n pi y) sin(n pi x) / n, y >= 0."""
    return np.arctanh(np.exp(np.pi * (1j * x - y))).imag


def odd_sines_of_squares(x: Array, y: Array) -> Array:
    """Sum over odd n of exp(-n pi y) sin(n pi x) / n**2, y >= 0: Legendre's chi function."""
    q = np.exp(np.pi * (1j * x - y))
    return (spence(1 - q) - spence(1 - q**2) / 4).imag
