"""Section 4.3: the nonlinear Poisson problem (1), with the reaction exp, and the solution (19).

Deviations from the paper: those of the linear problem: L-BFGS has a strong-Wolfe line search, where
the paper tuned a fixed step by hand for every method; the nodes are our own (theirs come from
another generator); errors are measured on about 21,700 points of our own making.
"""

from __future__ import annotations

import torch

from dtpinn.experiments.experiment import Experiment
from dtpinn.pde import Poisson
from dtpinn.pde.solutions import sine_cosine

EXPERIMENT = Experiment(
    name="nonlinear-poisson",
    section="4.3",
    summary="nonlinear Poisson on the unit disk, equation (1)",
    pde=lambda: Poisson.from_solution(sine_cosine, alpha=1.0, beta=1.0, reaction=torch.exp),
    exact=sine_cosine,
)
