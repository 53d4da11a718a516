"""Section 4.4: the heat equation (5)-(7) on the unit disk for t in [0, 1], with the solution (20).

Time by automatic differentiation, space by L and B, all slices t = k / N_t in one evaluation of the
network and one product with N_t + 1 columns. The error is measured, as in the paper, at the
collocation points in all slices; that at about 21,700 test points in all slices is told besides.

Deviations from the paper: L-BFGS has a strong-Wolfe line search, where the paper tuned a fixed
step by hand for every method; the nodes are our own (theirs come from another generator). With
``method="vanilla"`` the equation is required in the interior alone, as in equation (4) (the
authors' scripts for this problem require it on the boundary, too).
"""

from __future__ import annotations

from dtpinn.experiments.experiment import Experiment
from dtpinn.pde import Heat
from dtpinn.pde.exact import in_space_time
from dtpinn.pde.solutions import sine_cosine_sine

EXPERIMENT = Experiment(
    name="heat",
    section="4.4",
    summary="heat equation on the unit disk for t in [0, 1], equations (5)-(7)",
    pde=lambda: Heat.from_solution(sine_cosine_sine, alpha=1.0, beta=1.0),
    exact=in_space_time(sine_cosine_sine),
    measured_at="collocation points",
    defaults={"nodes": 828, "times": 25},
)
