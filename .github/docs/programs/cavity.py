"""The flow in a cavity under a moving lid at Re 100."""

import numpy as np
import torch

import dtpinn
from dtpinn.pde import Dirichlet, NavierStokes


def lid(x, n):
    """One speed, but for 4% of its length at either end."""
    speed = (1 - torch.exp(-x[:, 0] / 0.04)) * (1 - torch.exp((x[:, 0] - 1) / 0.04))
    return torch.stack([speed, 0 * speed], dim=1)


def spacing(x):
    """Finer towards the ends of the lid."""
    left, right = (np.hypot(x[:, 0] - end, x[:, 1] - 1) for end in (0, 1))
    return np.minimum(0.012 + 0.15 * np.minimum(left, right), 0.05)


box = dtpinn.geometry.Rectangle((0, 0), (1, 1))
nodes = dtpinn.place_nodes(box, spacing=spacing)
walls = {"top": Dirichlet(lid, field=("u", "v")), "*": Dirichlet((0.0, 0.0), field=("u", "v"))}
flow = NavierStokes(viscosity=1 / 100, boundary=walls)  # Re 100
problem = dtpinn.discretize(flow, nodes, order=3, constraints=[dtpinn.Mean(0.0, field="p")])
u = problem.solve()
middle = np.column_stack([np.full(99, 0.5), np.linspace(0.01, 0.99, 99)])
backwards = -float(problem.interpolate(u, middle)[:, 0].min())
print(f"{len(u)} nodes, fastest way back {backwards:.3f}")
