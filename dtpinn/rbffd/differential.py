"""Linear differential operators, written as on paper: ``2 * laplacian + a * partial(0)``.

Sums, multiples and, where the right one has constant coefficients, compositions ``A @ B`` of
operators are operators. The coefficient in front of one is a number, an array with one number per
row, or a function of the points. Nothing here is a matrix yet: :func:`~dtpinn.rbffd.operator`.
"""

from dtpinn.operators import (
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

__all__ = [
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
