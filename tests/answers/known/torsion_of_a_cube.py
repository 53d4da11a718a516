"""-Laplacian u = 1 in the unit cube, u = 0 on its faces: whole, and an eighth between planes.

The double sine series, in which what does not depend on z is the torsion of a square. The largest
u is 0.0562128...
"""

from __future__ import annotations

import numpy as np

from dtpinn import Dirichlet, Neumann, Poisson
from dtpinn.geometry import Box
from tests.answers.known import torsion_of_a_square
from tests.answers.known.question import Array, Question, constant
from tests.answers.known.series import cosh_ratio


def answer(x: Array, terms: int = 40) -> Array:
    """Along z, the coordinate nearest to 1/2, the terms fall fastest."""
    x = 0.5 - np.sort(np.abs(x - 0.5), axis=1)
    m = np.pi * np.arange(1, 2 * terms, 2)
    k = np.hypot(m[:, None], m)
    z = np.einsum("a,b,ab->ab", 4 / m, 4 / m, 1 / k**2)
    towards = cosh_ratio((x[:, 0, None, None] - 0.5) * k, k / 2)
    sines = np.einsum("na,nb->nab", np.sin(m * x[:, 1, None]), np.sin(m * x[:, 2, None]))
    return torsion_of_a_square.answer(x[:, 1:]) - np.einsum("ab,nab,nab->n", z, towards, sines)


CUBE = Question(
    domain=Box((0, 0, 0), (1, 1, 1)),
    equation=lambda: Poisson(constant(-1.0), Dirichlet()),
    answer=answer,
    spacings=(0.2, 0.15, 0.11),
    within=0.02,
    orders=(2, 4),
    rate=2.0,
)

EIGHTH = Question(
    domain=Box((0.5, 0.5, 0.5), (1, 1, 1)),
    equation=lambda: Poisson(
        constant(-1.0),
        dict.fromkeys(("left", "front", "bottom"), Neumann())
        | dict.fromkeys(("right", "back", "top"), Dirichlet()),
    ),
    answer=answer,
    spacings=(0.125, 0.09, 0.07),
    within=0.02,
    orders=(2, 4),
    rate=2.0,
)
