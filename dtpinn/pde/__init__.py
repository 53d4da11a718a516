"""Equations as pointwise residuals, their conditions, and the vocabulary of derivatives.

The same residual runs on RBF-FD matrices and on automatic differentiation, and knows neither.
"""

from dtpinn.operators import Operator
from dtpinn.pde import derived  # noqa: F401  (hands Derivatives what its words make)
from dtpinn.pde.allen_cahn import AllenCahn
from dtpinn.pde.complex_fields import Complex, to_complex, to_real
from dtpinn.pde.conditions import BoundaryCondition, Dirichlet, Neumann, Robin
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.elasticity import LinearElasticity, Traction
from dtpinn.pde.equation import PDE
from dtpinn.pde.exact import in_space_time
from dtpinn.pde.flow_conditions import Incompressible, Outflow, Slip
from dtpinn.pde.forced import Forced
from dtpinn.pde.heat import Heat
from dtpinn.pde.helmholtz import Helmholtz
from dtpinn.pde.joints import SameFlux, SameTraction, SameValue, joints
from dtpinn.pde.known import Known
from dtpinn.pde.manufactured import Manufactured
from dtpinn.pde.material import Lame, Material, Young
from dtpinn.pde.navier_stokes import NavierStokes, Stokes
from dtpinn.pde.nodal_data import NodalData
from dtpinn.pde.piecewise import Piecewise
from dtpinn.pde.poisson import Poisson
from dtpinn.pde.wave import Wave

__all__ = [
    "PDE",
    "AllenCahn",
    "BoundaryCondition",
    "Complex",
    "Derivatives",
    "Dirichlet",
    "Forced",
    "Heat",
    "Helmholtz",
    "Incompressible",
    "Known",
    "Lame",
    "LinearElasticity",
    "Manufactured",
    "Material",
    "NavierStokes",
    "Neumann",
    "NodalData",
    "Operator",
    "Outflow",
    "Piecewise",
    "Poisson",
    "Robin",
    "SameFlux",
    "SameTraction",
    "SameValue",
    "Slip",
    "Stokes",
    "Traction",
    "Wave",
    "Young",
    "in_space_time",
    "joints",
    "to_complex",
    "to_real",
]
