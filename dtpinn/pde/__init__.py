"""Equations as pointwise residuals, their conditions, and the vocabulary of derivatives.

Nothing here knows where a derivative comes from: the same residual runs on RBF-FD matrices and on
automatic differentiation.
"""

from dtpinn.pde.conditions import BoundaryCondition, Dirichlet, Neumann, Robin
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.equation import PDE
from dtpinn.pde.forced import Forced
from dtpinn.pde.heat import Heat
from dtpinn.pde.known import Known
from dtpinn.pde.manufactured import Manufactured
from dtpinn.pde.operators import Operator
from dtpinn.pde.poisson import Poisson

__all__ = [
    "PDE",
    "BoundaryCondition",
    "Derivatives",
    "Dirichlet",
    "Forced",
    "Heat",
    "Known",
    "Manufactured",
    "Neumann",
    "Operator",
    "Poisson",
    "Robin",
]
