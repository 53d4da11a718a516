"""Polynomials on polygons whose corners are not right angles: solved to rounding.

An equilateral triangle in torsion (Saint-Venant, 1855: u is the product of the distances from the
sides, over the height), the half and the sixth of it between planes of symmetry, and a flow
through a hexagon with a corner of 270 degrees, each edge with its own flux.
"""

from __future__ import annotations

import numpy as np

from dtpinn import Dirichlet, Neumann, Poisson, Robin
from dtpinn.geometry import Polygon
from tests.answers.known.question import Array, Question, constant, given

HEIGHT = np.sqrt(3) / 2  # of the triangle, whose sides are 1
A, B, C = (-0.5, 0.0), (0.5, 0.0), (0.0, HEIGHT)
FOOT, MIDDLE = (0.0, 0.0), (0.0, HEIGHT / 3)
HEXAGON = [(0, 0), (2, 0.3), (2.2, 1), (1, 1), (1, 2), (-0.4, 1.8)]


def torsion(x: Array) -> Array:
    """d1 d2 d3 / H at points (n, 2); the largest is H**2 / 27, in the middle."""
    below, slope = x[:, 1], (HEIGHT - x[:, 1]) / 2
    right, left = slope - HEIGHT * x[:, 0], slope + HEIGHT * x[:, 0]
    return below * right * left / HEIGHT


def loaded(
    corners: list, *parts: Robin, spacings: tuple[float, float, float] = (0.06, 0.045, 0.03)
) -> Question:
    """A part of the triangle, with a condition on each of its edges."""
    return Question(
        domain=Polygon(corners),
        equation=lambda: Poisson(
            constant(-1.0), {f"edge{number}": part for number, part in enumerate(parts)}
        ),
        answer=torsion,
        spacings=spacings,
        orders=(3, 4, 5, 6),
        polynomial=True,
    )


def stream(x: Array) -> Array:
    """x + 2 y."""
    return x[:, 0] + 2 * x[:, 1]


def fluxes() -> dict:
    """The flux of `stream` through each edge, a number; the first one is held."""
    corners = np.array(HEXAGON)
    edges = np.roll(corners, -1, axis=0) - corners
    normals = edges[:, ::-1] * [1, -1] / np.hypot(*edges.T)[:, None]
    flux = {f"edge{i}": Neumann(constant(float(n @ [1, 2]))) for i, n in enumerate(normals)}
    return flux | {"edge0": Dirichlet(given(stream))}


TRIANGLE = loaded([A, B, C], Dirichlet(), Dirichlet(), Dirichlet())
HALF = loaded([FOOT, B, C], Dirichlet(), Dirichlet(), Neumann())
SIXTH = loaded([FOOT, B, MIDDLE], Dirichlet(), Neumann(), Neumann(), spacings=(0.04, 0.03, 0.02))
THROUGH = Question(
    domain=Polygon(HEXAGON),
    equation=lambda: Poisson(None, fluxes()),
    answer=stream,
    spacings=(0.15, 0.12, 0.09),
    polynomial=True,
)
