"""A thick ring under pressure, a quarter of it between planes of symmetry: Lame (1852).

Plane strain, E = 1, radii 1 and 2, pressure 1 inside. Timoshenko and Goodier, section 28.
"""

from __future__ import annotations

from dtpinn import LinearElasticity, Traction
from dtpinn.geometry import Annulus, Rectangle
from dtpinn.pde import Young
from tests.answers.known.elastic import Symmetry
from tests.answers.known.question import Array, Question

NU, INNER, OUTER = 0.3, 1.0, 2.0


def answer(x: Array) -> Array:
    """Displacements, (n, 2), along the radius."""
    r2 = (x**2).sum(1, keepdims=True)
    size = (1 + NU) * INNER**2 / (OUTER**2 - INNER**2)
    return size * ((1 - 2 * NU) + OUTER**2 / r2) * x


def ring() -> LinearElasticity:
    """Pressed from inside, free outside."""
    material = Young(1.0, NU, "strain")
    return LinearElasticity(
        None,
        {"inner": Traction(material, lambda x, n: -n), "outer": Traction(material)}
        | dict.fromkeys(("left", "bottom"), Symmetry(material)),
        material=material,
    )


RING = Question(
    domain=Annulus(INNER, OUTER) & Rectangle((0, 0), (3, 3)),
    equation=ring,
    answer=answer,
    spacings=(0.14, 0.1, 0.07),
    orders=(3, 4, 5, 6),  # at order 2 seeds are up to 5 times apart where only tractions hold
    within=0.006,
)
