"""Polynomials in a box, with fluxes through its faces: solved to rounding."""

from __future__ import annotations

from dtpinn import Dirichlet, Neumann, Poisson
from dtpinn.geometry import Box
from tests.answers.known.question import Array, Question, constant, given

BOX = Box((0, 0, 0), (1, 0.8, 0.6))
INSULATED = dict.fromkeys(("front", "back", "bottom", "top"), Neumann())


def saddle(x: Array) -> Array:
    """x**2 + y**2 - 2 z**2 + x: its flux through each face is a number."""
    return x[:, 0] ** 2 + x[:, 1] ** 2 - 2 * x[:, 2] ** 2 + x[:, 0]


THROUGH = Question(
    domain=BOX,
    equation=lambda: Poisson(
        None, {"left": Dirichlet(), "right": Neumann(constant(1.0))} | INSULATED
    ),
    answer=lambda x: x[:, 0],
    spacings=(0.2, 0.15, 0.11),
    orders=(2, 4),
    polynomial=True,
)

SADDLE = Question(
    domain=BOX,
    equation=lambda: Poisson(
        None,
        {"left": Neumann(constant(-1.0)), "right": Neumann(constant(3.0))}
        | {"front": Neumann(), "back": Neumann(constant(1.6))}
        | {"bottom": Dirichlet(given(saddle)), "top": Neumann(constant(-2.4))},
    ),
    answer=saddle,
    spacings=(0.2, 0.15, 0.11),
    orders=(2, 4),
    polynomial=True,
)
