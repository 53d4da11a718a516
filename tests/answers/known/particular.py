"""The method of particular solutions: functions that solve the equation, fitted on the boundary.

Fox, Henrici and Moler, SIAM J. Numer. Anal. 4 (1967); an error is largest on the boundary, where it
can be seen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def polar(
    x: Array, corner: tuple[float, float], start: float, opening: float
) -> tuple[Array, Array]:
    """Distance from a corner, and the angle from the direction `start` of its first side.

    The angle jumps behind the corner, opposite to the middle of its `opening`.
    """
    away = x - np.array(corner)
    middle = start + opening / 2
    turned = np.arctan2(away[:, 1], away[:, 0]) - middle
    return np.hypot(*away.T), opening / 2 + (turned + np.pi) % (2 * np.pi) - np.pi


def loaded_corner(x: Array, corner: tuple[float, float], start: float, opening: float) -> Array:
    """-Laplacian = 1, and 0 on both sides of a corner whose `opening` is pi/2 or 3 pi/2."""
    r, angle = polar(x, corner, start, opening)
    logarithm = np.log(np.where(r > 0, r, 1.0))
    resonant = logarithm * np.sin(2 * angle) + angle * np.cos(2 * angle)
    return r**2 * ((np.cos(2 * angle) - 1) / 4 - resonant / (2 * opening))


def resonance(x: Array, corner: tuple[float, float], start: float) -> Array:
    """The harmonic r**2 (log r sin 2a + a cos 2a): what a load leaves at a right angle."""
    r, angle = polar(x, corner, start, np.pi / 2)
    logarithm = np.log(np.where(r > 0, r, 1.0))
    return r**2 * (logarithm * np.sin(2 * angle) + angle * np.cos(2 * angle))


def polynomials(x: Array, middle: tuple[float, float], radius: float, degree: int) -> Array:
    """Real and imaginary parts of powers of z, 1 first; (n, 2 degree + 1)."""
    powers = (((x - np.array(middle)) / radius) @ [1, 1j])[:, None] ** np.arange(degree + 1)
    return np.hstack([powers.real, powers.imag[:, 1:]])


def chebyshev(start: tuple[float, float], stop: tuple[float, float], count: int) -> Array:
    """Points of a side, denser towards its ends; (count, 2)."""
    share = 0.5 * (1 - np.cos(np.pi * (np.arange(count) + 0.5) / count))[:, None]
    return (1 - share) * np.array(start) + share * np.array(stop)


def fitted(basis: Callable[[Array], Array], points: Array, values: Array) -> tuple[Array, float]:
    """Coefficients of `basis`, (n, 2) -> (n, m), by least squares, and the largest misfit."""
    columns = basis(points)
    scale = np.linalg.norm(columns, axis=0)
    coefficients = np.linalg.lstsq(columns / scale, values, rcond=1e-15)[0] / scale
    return coefficients, float(np.abs(columns @ coefficients - values).max())
