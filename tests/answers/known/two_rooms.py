"""Two rooms with a thin wall between them, and nothing in common.

The left one is loaded, -Laplacian u = 1 and u = 0 on its walls (the torsion of a square); the right
one has no load and linear data. The wall is thinner than the spacing: a stencil that reaches
through it takes values that have nothing to do with its centre.
"""

from __future__ import annotations

import numpy as np

from dtpinn import Dirichlet, Poisson
from dtpinn.geometry import Rectangle
from tests.answers.known import torsion_of_a_square
from tests.answers.known.question import Array, Question, given

WALL = 0.02


def in_left(x: Array) -> Array:
    """Which of points (n, 2) are in the left room."""
    return x[:, 0] < 1 + WALL / 2


def answer(x: Array) -> Array:
    """u at points (n, 2) of both rooms."""
    return np.where(in_left(x), torsion_of_a_square.answer(x), 1 + x[:, 1])


ROOMS = Question(
    domain=Rectangle((0, 0), (1, 1)) | Rectangle((1 + WALL, 0), (2 + WALL, 1)),
    equation=lambda: Poisson(
        given(lambda x: np.where(in_left(x), -1.0, 0.0)),
        Dirichlet(given(lambda x: np.where(in_left(x), 0.0, 1 + x[:, 1]))),
    ),
    answer=answer,
    spacings=(0.1, 0.07, 0.05),
    within=0.001,
    rate=2.0,
)
