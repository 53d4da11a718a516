"""Section 4.2 of the paper again, with one thing changed: an ellipse in place of the disk."""

from dataclasses import replace

from dtpinn.experiments import PROBLEMS, run
from dtpinn.geometry import Ellipse

poisson = PROBLEMS["poisson"]  # also "nonlinear-poisson" and "heat"
ellipse = replace(poisson, name="poisson-ellipse", domain=lambda: Ellipse((1.0, 0.6)))

settings = {"nodes": 400, "order": 4, "width": 20, "depth": 2, "epochs": 15, "seed": 0}
# the paper: nodes=2236, width=50, depth=4; optimizer="gauss-newton" goes down to the floor

for problem in (poisson, ellipse):
    result = run(problem, problem.settings(**settings), report=lambda line: None)
    print(f"{problem.name}: error {result.history[-1].error:.1e}, floor {result.floor:.1e}")
