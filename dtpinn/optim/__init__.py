"""Optimisers with the interface of `torch.optim`, made for the small, stiff losses of PINNs."""

from dtpinn.optim.by_name import OPTIMIZERS, NamedOptimizer, Needs
from dtpinn.optim.defect_correction import DefectCorrection
from dtpinn.optim.gauss_newton import GaussNewton
from dtpinn.optim.last_layer import LastLayer
from dtpinn.optim.lbfgs import LBFGS
from dtpinn.optim.line_search import LineSearch, Trial, strong_wolfe
from dtpinn.optim.squared_residuals import LeastSquares

__all__ = [
    "LBFGS", "OPTIMIZERS", "DefectCorrection", "GaussNewton", "LastLayer", "LeastSquares",
    "LineSearch", "NamedOptimizer", "Needs", "Trial", "strong_wolfe",
]  # fmt: skip
