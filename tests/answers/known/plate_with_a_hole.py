"""A plate with a hole in tension: Kirsch (1898), whose stress at the hole is 3 times that far away.

A quarter of a square of it, between planes of symmetry, with Kirsch's own tractions on the two
outer sides. Timoshenko and Goodier, section 35; displacements as in Szabo and Babuska, Finite
Element Analysis (1991), section 10.3. Plane stress, E = 1, hole of radius 1, pull 1 along x.
"""

from __future__ import annotations

import numpy as np

from dtpinn import LinearElasticity, Traction
from dtpinn.geometry import Disk, Rectangle
from dtpinn.pde import Young
from tests.answers.known.elastic import Symmetry
from tests.answers.known.question import Array, Question, given

NU = 0.3


def answer(x: Array) -> Array:
    """Displacements, (n, 2)."""
    r, a = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    k = (3 - NU) / (1 + NU)
    near = 2 / r - 2 / r**3
    along = (r * (k + 1) + 2 / r * (k + 1)) * np.cos(a) + near * np.cos(3 * a)
    across = (r * (k - 3) + 2 / r * (1 - k)) * np.sin(a) + near * np.sin(3 * a)
    return (1 + NU) / 4 * np.stack([along, across], axis=1)


def stress(x: Array) -> Array:
    """xx, yy, xy, (n, 3)."""
    q, a = 1 / (x**2).sum(1), np.arctan2(x[:, 1], x[:, 0])
    c2, c4, s2, s4 = np.cos(2 * a), np.cos(4 * a), np.sin(2 * a), np.sin(4 * a)
    xx = 1 - q * (1.5 * c2 + c4) + 1.5 * q**2 * c4
    yy = -q * (0.5 * c2 - c4) - 1.5 * q**2 * c4
    xy = -q * (0.5 * s2 + s4) + 1.5 * q**2 * s4
    return np.stack([xx, yy, xy], axis=1)


def plate() -> LinearElasticity:
    """Free at the hole."""
    material = Young(1.0, NU, "stress")
    return LinearElasticity(
        None,
        {"right": Traction(material, given(lambda x: stress(x)[:, [0, 2]]))}
        | {"top": Traction(material, given(lambda x: stress(x)[:, [2, 1]]))}
        | {"circle": Traction(material)}
        | dict.fromkeys(("left", "bottom"), Symmetry(material)),
        material=material,
    )


PLATE = Question(
    domain=Rectangle((0, 0), (2, 2)) - Disk(1.0),
    equation=plate,
    answer=answer,
    spacings=(0.12, 0.09, 0.06),
    orders=(3, 4, 5, 6),  # at order 2 seeds are up to 3.1 times the median
    within=0.03,
)
