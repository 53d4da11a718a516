"""Problems: an equation on nodes, ready to be trained or solved.

`discretize` takes the spatial derivatives from RBF-FD matrices, `vanilla` from automatic
differentiation; both run the same residuals.
"""

from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.compare import Comparison, ResidualComparison
from dtpinn.problem.constraints import Integral, Mean, Pin
from dtpinn.problem.data import Data
from dtpinn.problem.description import Description
from dtpinn.problem.direct.border import Incompatible
from dtpinn.problem.direct.method_of_lines import Trajectory
from dtpinn.problem.discrete_problem import DiscreteProblem
from dtpinn.problem.discretize import discretize
from dtpinn.problem.estimate import Estimate
from dtpinn.problem.flux import Flux
from dtpinn.problem.forward_problem import ForwardProblem
from dtpinn.problem.integrate import integrate
from dtpinn.problem.jacobian.automatic_residuals import AutomaticResiduals
from dtpinn.problem.jacobian.corrected_residuals import CorrectedResiduals
from dtpinn.problem.jacobian.discrete_residuals import DiscreteResiduals
from dtpinn.problem.jacobian.linearize import Linearization
from dtpinn.problem.problem import Problem
from dtpinn.problem.smooth import Smooth
from dtpinn.problem.solution import Solution
from dtpinn.problem.trust import NotResolved
from dtpinn.problem.uncertainty import Uncertainty
from dtpinn.problem.vanilla import vanilla

__all__ = [
    "AutomaticProblem",
    "AutomaticResiduals",
    "Comparison",
    "CorrectedResiduals",
    "Data",
    "Description",
    "DiscreteProblem",
    "DiscreteResiduals",
    "Estimate",
    "Flux",
    "ForwardProblem",
    "Incompatible",
    "Integral",
    "Linearization",
    "Mean",
    "NotResolved",
    "Pin",
    "Problem",
    "ResidualComparison",
    "Smooth",
    "Solution",
    "Trajectory",
    "Uncertainty",
    "discretize",
    "integrate",
    "vanilla",
]
