"""RBF-FD: sparse matrices that differentiate functions known at scattered nodes.

Polyharmonic splines r^m with Legendre polynomials of degree l on the nearest neighbours of each
node (section 2.2 of the paper), in 1, 2 and 3 dimensions, for any linear differential operator.

`laplacian` and `boundary_operator` give the paper's L and B; `assemble` gives matrices for any
operators at any nodes, sharing stencils and factorisations.
"""

from dtpinn.rbffd.assembly import Assembly, assemble
from dtpinn.rbffd.operators import boundary_operator, laplacian
from dtpinn.rbffd.rule import Rule, choose_rule
from dtpinn.rbffd.terms import Terms, boundary_terms, laplacian_terms

__all__ = [
    "Assembly",
    "Rule",
    "Terms",
    "assemble",
    "boundary_operator",
    "boundary_terms",
    "choose_rule",
    "laplacian",
    "laplacian_terms",
]
