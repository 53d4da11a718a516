"""Motz's problem: a side of a rectangle that is held for half of its length, insulated beyond.

Laplacian u = 0 in (-1, 1) x (0, 1), u = 500 on the right, u = 0 on the bottom where x < 0, and
du/dn = 0 elsewhere. u is a sum of d[k] r**(k + 1/2) cos((k + 1/2) a). Coefficients: Li, Mathon and
Sermer, SIAM J. Numer. Anal. 24 (1987); Georgiou, Olson and Smyrlis, Commun. Numer. Meth. Engng 12
(1996), table of d.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from dtpinn import Dirichlet, Neumann, Poisson
from dtpinn.geometry import Rectangle
from tests.answers.known.particular import Array, chebyshev, fitted, polar
from tests.answers.known.question import Question, constant

# As published.
PUBLISHED = (401.162453745, 87.6559201951, 17.2379150794, -8.0712152597, 1.4402727170, 0.3310548859)
RADIUS = 1.2  # powers of r / RADIUS, for the sake of rounding


def terms(x: Array, count: int, derivative: int | None = None) -> Array:
    """r**p cos(p a), p = 1/2, 3/2, ..., or their derivative along an axis; (n, count)."""
    r, angle = polar(x, (0, 0), 0.0, np.pi)
    power = np.arange(count) + 0.5
    if derivative is None:
        return (r[:, None] / RADIUS) ** power * np.cos(power * angle[:, None])
    turned = np.cos if derivative == 0 else lambda a: -np.sin(a)
    slope = power / RADIUS * (r[:, None] / RADIUS) ** (power - 1)
    return slope * turned((power - 1) * angle[:, None])


@cache
def coefficients(count: int = 40) -> tuple[Array, float]:
    """d, and the largest misfit on the three sides where the terms do not fit by themselves."""
    right = chebyshev((1, 0), (1, 1), 200)
    top, left = chebyshev((1, 1), (-1, 1), 400), chebyshev((-1, 1), (-1, 0), 200)
    cut = np.cumsum([len(right), len(top)])

    def basis(x: Array) -> Array:
        on_right, on_top, on_left = np.split(x, cut)
        rows = terms(on_right, count), terms(on_top, count, 1), terms(on_left, count, 0)
        return np.vstack(rows)

    points = np.vstack([right, top, left])
    values = np.where(np.arange(len(points)) < len(right), 500.0, 0.0)
    found, misfit = fitted(basis, points, values)
    return found / RADIUS ** (np.arange(count) + 0.5), misfit


def answer(x: Array) -> Array:
    """u at points (n, 2)."""
    d = coefficients()[0]
    return terms(x, len(d)) @ (d * RADIUS ** (np.arange(len(d)) + 0.5))


MOTZ = Question(
    domain=Rectangle((-1, 0), (1, 1)).with_parts(
        {"held": lambda x: (x[:, 1] < 1e-12) & (x[:, 0] < 0)}
    ),
    equation=lambda: Poisson(
        None,
        {"right": Dirichlet(constant(500.0)), "held": Dirichlet()}
        | dict.fromkeys(("left", "top", "bottom"), Neumann()),
    ),
    answer=answer,
    spacings=(0.1, 0.07, 0.05),
    within=0.04,
    rate=1.0,
)
