"""RBF-FD: sparse matrices that differentiate functions known at scattered nodes.

Polyharmonic splines r^m with Legendre polynomials of degree l on the nearest neighbours of each
node (section 2.2 of the paper), in 1, 2 and 3 dimensions, for any linear differential operator.

`laplacian` and `boundary_operator` give the paper's L and B; `gradient`, `partial`, `divergence`,
`biharmonic` and `interpolation` are named too. `operator` takes anything written with the names of
`differential`, which is :mod:`dtpinn.operators`, such as ``2 * D.laplacian + D.partial(0)``, and
`operators` several of them at once, sharing stencils and factorisations; `assemble` tells the
stencils' condition numbers as well.
"""

from dtpinn import operators as differential
from dtpinn.operators import Operator, Terms
from dtpinn.rbffd.assembly import Assembly, assemble
from dtpinn.rbffd.boundary import boundary_operator
from dtpinn.rbffd.interpolation import interpolation
from dtpinn.rbffd.named import biharmonic, divergence, gradient, laplacian, partial
from dtpinn.rbffd.operators import operator, operators
from dtpinn.rbffd.options import Options
from dtpinn.rbffd.quadrature import Quadrature, quadrature
from dtpinn.rbffd.rule import Rule, choose_rule
from dtpinn.rbffd.wall_flux import WallFlux, stands_apart, wall_flux

__all__ = [
    "Assembly",
    "Operator",
    "Options",
    "Quadrature",
    "Rule",
    "Terms",
    "WallFlux",
    "assemble",
    "biharmonic",
    "boundary_operator",
    "choose_rule",
    "differential",
    "divergence",
    "gradient",
    "interpolation",
    "laplacian",
    "operator",
    "operators",
    "partial",
    "quadrature",
    "stands_apart",
    "wall_flux",
]
