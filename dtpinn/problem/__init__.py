"""Problems: an equation on nodes, ready to be trained or solved.

`discretize` takes the spatial derivatives from RBF-FD matrices, `vanilla` from automatic
differentiation; both run the same residuals.
"""

from dtpinn.problem.automatic import AutomaticProblem, vanilla
from dtpinn.problem.description import Description
from dtpinn.problem.discrete import DiscreteProblem, discretize
from dtpinn.problem.estimate import Estimate
from dtpinn.problem.linearize import Linearization
from dtpinn.problem.problem import Problem

__all__ = [
    "AutomaticProblem",
    "Description",
    "DiscreteProblem",
    "Estimate",
    "Linearization",
    "Problem",
    "discretize",
    "vanilla",
]
