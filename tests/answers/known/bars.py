"""Bars: in tension, in the plane and in space, in units and without, and bent by a load at the end.

Tension: u = (x, -nu y, -nu z) s / E. Bending: Timoshenko and Goodier, Theory of Elasticity, section
21, as in Augarde and Deeks, Finite Elem. Anal. Des. 44 (2008), with its displacements at the root
and its parabola of shear at the end. All are polynomials, solved to rounding.
"""

from __future__ import annotations

import numpy as np

from dtpinn import Dirichlet, LinearElasticity, Traction
from dtpinn.geometry import Box, Rectangle
from dtpinn.pde import Young
from tests.answers.known.elastic import Symmetry
from tests.answers.known.question import Array, Question, given, vector

NU = 0.3
LENGTH, DEPTH = 4.0, 1.0  # of the cantilever; E = 1, P = 1, thickness 1


def tension(stress: float, young: float, length: float, *sides: str) -> Question:
    """A bar along x between planes of symmetry, pulled on the right and free on `sides`."""
    dimension = len(sides) + 1
    material = Young(young, NU, "stress" if dimension == 2 else None)
    planes = ("left", "bottom") if dimension == 2 else ("left", "front", "bottom")
    pull = vector(stress, *[0.0] * (dimension - 1))
    upper = [2 * length] + [length] * (dimension - 1)
    body = Rectangle((0, 0), upper) if dimension == 2 else Box((0, 0, 0), upper)
    ratios = np.array([1.0] + [-NU] * (dimension - 1))
    return Question(
        domain=body,
        equation=lambda: LinearElasticity(
            None,
            {"right": Traction(material, pull)}
            | dict.fromkeys(sides, Traction(material))
            | dict.fromkeys(planes, Symmetry(material)),
            material=material,
            dimension=dimension,
        ),
        answer=lambda x: stress / young * ratios * x,
        spacings=tuple(
            length * h for h in ((0.2, 0.14, 0.1) if dimension == 2 else (0.3, 0.22, 0.17))
        ),
        orders=(2, 3, 4, 5, 6) if dimension == 2 else (2, 4),
        polynomial=True,
    )


def bent(x: Array) -> Array:
    """Displacements of the cantilever, (n, 2); y from the middle of its depth."""
    x, y = x.T
    inertia = DEPTH**3 / 12
    along = y * ((6 * LENGTH - 3 * x) * x + (2 + NU) * (y**2 - DEPTH**2 / 4))
    down = 3 * NU * y**2 * (LENGTH - x) + (4 + 5 * NU) * DEPTH**2 * x / 4 + (3 * LENGTH - x) * x**2
    return np.stack([along, -down], axis=1) / (6 * inertia)


def shear(x: Array) -> Array:
    """The load at the end, (n, 2)."""
    parabola = -(DEPTH**2 / 4 - x[:, 1] ** 2) / (2 * DEPTH**3 / 12)
    return np.stack([np.zeros(len(x)), parabola], axis=1)


def cantilever() -> LinearElasticity:
    """Held at the root as the answer is."""
    material = Young(1.0, NU, "stress")
    return LinearElasticity(
        None,
        {"left": Dirichlet(given(bent)), "right": Traction(material, given(shear))}
        | dict.fromkeys(("top", "bottom"), Traction(material)),
        material=material,
    )


TENSION = tension(1.0, 1.0, 1.0, "top")
STEEL = tension(1e6, 210e9, 0.01, "top")  # N, m
DAM = tension(1e6, 30e9, 100.0, "top")
IN_SPACE = tension(1.0, 1.0, 1.0, "back", "top")
CANTILEVER = Question(
    domain=Rectangle((0, -DEPTH / 2), (LENGTH, DEPTH / 2)),
    equation=cantilever,
    answer=bent,
    spacings=(0.25, 0.18, 0.125),
    orders=(3, 4, 5, 6),
    polynomial=True,
)
