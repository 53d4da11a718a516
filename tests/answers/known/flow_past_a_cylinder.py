"""Potential flow past a cylinder, upper half: phi = x (1 + 1 / r**2).

The stream comes in and leaves with the flux of the exact flow on each straight side, given by
formula; the cylinder and the line of symmetry let nothing through. The speed on top of the
cylinder is 2.
"""

from __future__ import annotations

from dtpinn import Dirichlet, Neumann, Poisson
from dtpinn.geometry import Disk, Rectangle
from tests.answers.known.question import Array, Question, given


def potential(x: Array) -> Array:
    """phi at points (n, 2)."""
    return x[:, 0] * (1 + 1 / (x**2).sum(1))


def velocity(x: Array, axis: int) -> Array:
    """A component of grad phi."""
    a, b = x.T
    r4 = (x**2).sum(1) ** 2
    return 1 + (b**2 - a**2) / r4 if axis == 0 else -2 * a * b / r4


CYLINDER = Question(
    domain=Rectangle((-2, 0), (2, 2)) - Disk(1.0),
    equation=lambda: Poisson(
        None,
        {"left": Dirichlet(given(potential)), "right": Neumann(given(lambda x: velocity(x, 0)))}
        | {"top": Neumann(given(lambda x: velocity(x, 1))), "bottom": Neumann()}
        | {"circle": Neumann()},
    ),
    answer=potential,
    spacings=(0.2, 0.14, 0.1),
    within=0.008,
)
