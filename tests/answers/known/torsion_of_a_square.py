"""Torsion of a square bar, whole and a quarter of it between two planes of symmetry.

-Laplacian u = 1 on the unit square, u = 0 on its sides. Timoshenko and Goodier, Theory of
Elasticity, section 109; the largest u is 0.0736713533 (their b = 1: tau_max etc. follow from it).
"""

from __future__ import annotations

import numpy as np

from dtpinn import Dirichlet, Neumann, Poisson
from dtpinn.geometry import Rectangle
from tests.answers.known.question import Array, Question, constant
from tests.answers.known.series import cosh_ratio

LARGEST = 0.0736713532814


def answer(x: Array, terms: int = 400) -> Array:
    """A sine series in the one coordinate, hyperbolic in the other, which is nearer to 1/2."""
    middle = np.abs(x - 0.5)
    along, across = middle.max(1), middle.min(1)
    s = (0.5 - along)[:, None]
    n = np.pi * np.arange(1, 2 * terms, 2)
    sum_ = (4 / n**3 * np.sin(n * s) * cosh_ratio(n * across[:, None], n / 2)).sum(1)
    return s[:, 0] * (1 - s[:, 0]) / 2 - sum_


SQUARE = Question(
    domain=Rectangle((0, 0), (1, 1)),
    equation=lambda: Poisson(constant(-1.0), Dirichlet()),
    answer=answer,
    spacings=(0.1, 0.07, 0.05),
    within=0.001,
    rate=2.0,  # r**2 log r at the corners
)

QUARTER = Question(
    domain=Rectangle((0.5, 0.5), (1, 1)),
    equation=lambda: Poisson(
        constant(-1.0),
        {"left": Neumann(), "bottom": Neumann(), "right": Dirichlet(), "top": Dirichlet()},
    ),
    answer=answer,
    spacings=(0.06, 0.04, 0.025),
    within=0.00015,
    rate=2.0,
)

# Metres: a particle of 10 micrometres. The pattern of rounding is another, the digits are the same.
MICROMETRES = Question(
    domain=Rectangle((5e-6, 5e-6), (1e-5, 1e-5)),
    equation=QUARTER.equation,
    answer=lambda x: 1e-10 * answer(1e5 * x),
    spacings=(0.06e-5, 0.04e-5, 0.025e-5),
    within=QUARTER.within,
    rate=QUARTER.rate,
)
