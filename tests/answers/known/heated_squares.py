"""Squares that are heated and insulated on their sides: Laplacian u = 0, u or its flux given.

Series in sines; what converges slowly in them is summed in closed form.
"""

from __future__ import annotations

import numpy as np

from dtpinn import Dirichlet, Neumann, Poisson
from dtpinn.geometry import Rectangle
from tests.answers.known.question import Array, Question, constant, given
from tests.answers.known.series import odd_sines, odd_sines_of_squares

SQUARE = Rectangle((0, 0), (1, 1))
ODD = np.pi * np.arange(1, 24, 2)


def lid(x: Array) -> Array:
    """100 on the lid, 0 on the three walls: sinh(n pi y) / sinh(n pi) on sin(n pi x)."""
    x, y = x[:, 0], x[:, 1]
    corner = (y == 1) & ((x == 0) | (x == 1))  # either value
    first = np.where(corner, 0.0, odd_sines(x, np.where(corner, 0.5, 1 - y)))
    n, y = ODD, y[:, None]
    rest = (np.exp(-n * (3 - y)) - np.exp(-n * (1 + y))) / (1 - np.exp(-2 * n))
    return 400 / np.pi * first + (400 / n * rest * np.sin(n * x[:, None])).sum(1)


def heated_from_above(x: Array) -> Array:
    """Flux 1 through the top, insulated below, 0 left and right: cosh(n pi y) / sinh(n pi)."""
    x, y = x[:, 0], x[:, 1]
    first = 4 / np.pi**2 * odd_sines_of_squares(x, 1 - y)
    n, y = ODD, y[:, None]
    rest = (np.exp(-n * (3 - y)) + np.exp(-n * (1 + y))) / (1 - np.exp(-2 * n))
    return first + (4 / n**2 * rest * np.sin(n * x[:, None])).sum(1)


def heated_smoothly(x: Array) -> Array:
    """The same with the flux sin(pi x), which agrees with the sides: the first term alone."""
    return np.sin(np.pi * x[:, 0]) * np.cosh(np.pi * x[:, 1]) / (np.pi * np.sinh(np.pi))


def saddle(x: Array) -> Array:
    """x**2 - y**2 + x: its flux through each side is a number."""
    return x[:, 0] ** 2 - x[:, 1] ** 2 + x[:, 0]


# Data disagree at two corners; judged where that is a quarter of the side away.
LID = Question(
    domain=SQUARE,
    equation=lambda: Poisson(
        None,
        {"top": Dirichlet(constant(100.0))}
        | dict.fromkeys(("left", "right", "bottom"), Dirichlet()),
    ),
    answer=lid,
    spacings=(0.1, 0.07, 0.05),
    within=0.015,
    rate=1.0,
    judged=lambda x: np.hypot(np.minimum(x[:, 0], 1 - x[:, 0]), 1 - x[:, 1]) > 0.25,
)

# u = 0 meets the flux 1 at two corners: u is r log r there.
FROM_ABOVE = Question(
    domain=SQUARE,
    equation=lambda: Poisson(
        None,
        {"top": Neumann(constant(1.0)), "bottom": Neumann()}
        | dict.fromkeys(("left", "right"), Dirichlet()),
    ),
    answer=heated_from_above,
    spacings=(0.1, 0.07, 0.05),
    within=0.04,
    rate=1.0,
)

SMOOTHLY = Question(
    domain=SQUARE,
    equation=lambda: Poisson(
        None,
        {"top": Neumann(given(lambda x: np.sin(np.pi * x[:, 0]))), "bottom": Neumann()}
        | dict.fromkeys(("left", "right"), Dirichlet()),
    ),
    answer=heated_smoothly,
    spacings=(0.1, 0.07, 0.05),
    orders=(3, 4, 5, 6),  # at order 2 seeds are up to 3.4 times apart
    within=0.0006,
)

THROUGH = Question(
    domain=SQUARE,
    equation=lambda: Poisson(
        None,
        {"left": Dirichlet(), "right": Neumann(constant(1.0)), "top": Neumann()}
        | {"bottom": Neumann()},
    ),
    answer=lambda x: x[:, 0],
    spacings=(0.1, 0.07, 0.05),
    polynomial=True,
)

SADDLE = Question(
    domain=SQUARE,
    equation=lambda: Poisson(
        None,
        {"left": Neumann(constant(-1.0)), "right": Neumann(constant(3.0))}
        | {"bottom": Dirichlet(given(saddle)), "top": Neumann(constant(-2.0))},
    ),
    answer=saddle,
    spacings=(0.1, 0.07, 0.05),
    polynomial=True,
)
