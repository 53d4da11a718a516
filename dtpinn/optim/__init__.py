"""Optimisers with the interface of `torch.optim`, made for the small, stiff losses of PINNs."""

from dtpinn.optim.gauss_newton import GaussNewton
from dtpinn.optim.lbfgs import LBFGS
from dtpinn.optim.least_squares import LeastSquares
from dtpinn.optim.line_search import LineSearch, Trial, strong_wolfe

__all__ = ["LBFGS", "GaussNewton", "LeastSquares", "LineSearch", "Trial", "strong_wolfe"]
