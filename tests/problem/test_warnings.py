"""What torch warns of, in code of its own, is not the user's business."""

import subprocess
import sys

import pytest

PROGRAM = """
import torch, dtpinn

class Swinging(dtpinn.PDE):
    def residual(self, u, D, x, t):
        return D.time(u, 2) - D.laplacian(u)
    def boundary(self, u, D, x, n, t):
        return u
    def initial(self, u, D, x):
        return torch.stack([u, D.time(u)], dim=1)

nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
problem = dtpinn.discretize(Swinging(), nodes, 2, times=[0.0, 0.5, 1.0])
problem.least_squares(dtpinn.MLP(2, width=3, depth=1, seed=0)).jacobian()
"""


@pytest.mark.full
def test_no_deprecation_is_told_where_rates_are_taken_forward():
    # in a process of its own: torch tells once, when it first needs forward mode
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", PROGRAM],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
