"""Linear differential operators as data: what is taken of a function, and not how.

An equation asks for them by name, RBF-FD makes matrices of them, automatic differentiation passes
through a network. They are written as on paper, ``2 * laplacian + a * partial(0)``, and know
neither the dimension of space nor the nodes before they are used at a :class:`Place`.
"""

from dtpinn.operators.named import (
    biharmonic,
    diffusion,
    directional,
    divergence,
    gradient,
    identity,
    laplacian,
    normal,
    partial,
)
from dtpinn.operators.operator import Operator
from dtpinn.operators.places import MultiIndex, Place, Space, Terms

__all__ = [
    "MultiIndex",
    "Operator",
    "Place",
    "Space",
    "Terms",
    "biharmonic",
    "diffusion",
    "directional",
    "divergence",
    "gradient",
    "identity",
    "laplacian",
    "normal",
    "partial",
]
