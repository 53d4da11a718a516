"""Torsion of an L: -Laplacian u = 1 in three unit squares, u = 0 on the sides.

Near the corner u is a multiple of r**(2/3) sin(2 a / 3), so that its gradient has no bound. The
answer is a sum of particular solutions: the corner's own, what the load leaves at the right
angles, and polynomials. On the sides it is 0 to 1e-13, and by the maximum principle it is no
farther from u inside. Its r**(2/3) comes with 0.4538778976.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from dtpinn import Dirichlet, Poisson
from dtpinn.geometry import Polygon
from tests.answers.known.particular import (
    Array,
    chebyshev,
    fitted,
    loaded_corner,
    polar,
    polynomials,
    resonance,
)
from tests.answers.known.question import Question, constant, given

VERTICES = [(0, 0), (1, 0), (1, -1), (-1, -1), (-1, 1), (0, 1)]
START, OPENING = np.pi / 2, 3 * np.pi / 2  # of the corner at the origin
CONVEX = list(zip(VERTICES[1:], np.array([2, 1, 0, -1, -2]) * np.pi / 2, strict=True))


def basis(x: Array, terms: int = 60, degree: int = 20) -> Array:
    """Harmonic functions with the singularities that u has; (n, m)."""
    r, angle = polar(x, (0, 0), START, OPENING)
    power = 2 / 3 * np.arange(1, terms + 1)
    corner = (r[:, None] / 1.2) ** power * np.sin(power * angle[:, None])
    right = np.stack([resonance(x, *at) for at in CONVEX], axis=1)
    return np.hstack([corner, right, polynomials(x, (-0.25, -0.25), 1.4, degree)])


@cache
def coefficients() -> tuple[Array, float]:
    """Of `basis`, and how far the answer is from 0 on the sides."""
    sides = zip(VERTICES, VERTICES[1:] + VERTICES[:1], strict=True)
    points = np.vstack([chebyshev(start, stop, 200) for start, stop in sides])
    return fitted(basis, points, -loaded_corner(points, (0, 0), START, OPENING))


def answer(x: Array) -> Array:
    """u at points (n, 2)."""
    return loaded_corner(x, (0, 0), START, OPENING) + basis(x) @ coefficients()[0]


def singular(x: Array) -> Array:
    """r**(2/3) sin(2 a / 3): harmonic, 0 on the two sides that meet in the corner."""
    r, angle = polar(x, (0, 0), START, OPENING)
    return r ** (2 / 3) * np.sin(2 / 3 * angle)


LOADED = Question(
    domain=Polygon(VERTICES),
    equation=lambda: Poisson(constant(-1.0), Dirichlet()),
    answer=answer,
    spacings=(0.12, 0.08, 0.05),
    within=0.04,
    rate=4 / 3,
)

# What is far from the corner as well suffers from it, in proportion to h**(4/3).
SINGULAR = Question(
    domain=Polygon(VERTICES),
    equation=lambda: Poisson(None, Dirichlet(given(singular))),
    answer=singular,
    spacings=(0.12, 0.08, 0.05),
    within=0.008,
    rate=4 / 3,
    judged=lambda x: np.hypot(*x.T) > 0.25,
)
