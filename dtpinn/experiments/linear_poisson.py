"""Section 4.2: the linear Poisson problem (3) on the unit disk with the solution (19).

Deviations from the paper: L-BFGS has a strong-Wolfe line search, where the paper tuned a fixed
step by hand for every method; the nodes are our own (theirs come from another generator); errors
are measured on about 21,700 points of our own making.
"""

from __future__ import annotations

from dtpinn.experiments.experiment import Experiment
from dtpinn.pde import Poisson
from dtpinn.pde.solutions import sine_cosine

EXPERIMENT = Experiment(
    name="poisson",
    section="4.2",
    summary="linear Poisson on the unit disk, equation (3)",
    pde=lambda: Poisson.from_solution(sine_cosine, alpha=1.0, beta=1.0),
    exact=sine_cosine,
)
