"""The flow in a cavity under a moving lid at Re 100."""

import numpy as np

import dtpinn
from dtpinn.nodes import graded
from dtpinn.pde import Dirichlet, NavierStokes

box = dtpinn.geometry.Rectangle((0, 0), (1, 1))
ends = graded([[0, 1], [1, 1]], near=0.005, far=0.05, growth=0.15)  # of the lid: speeds jump there
walls = graded(box, near=0.025, far=0.05)
nodes = dtpinn.place_nodes(box, spacing=lambda x: np.minimum(ends(x), walls(x)))

speeds = {
    "top": Dirichlet((1.0, 0.0), field=("u", "v")),
    "*": Dirichlet((0.0, 0.0), field=("u", "v")),
}
flow = NavierStokes(viscosity=1 / 100, boundary=speeds)  # Re 100
problem = dtpinn.discretize(flow, nodes, order=3, constraints=[dtpinn.Mean(0.0, field="p")])
u = problem.solve()
middle = np.column_stack([np.full(99, 0.5), np.linspace(0.01, 0.99, 99)])
backwards = -float(u(middle)[:, 0].min())
print(f"{len(u)} nodes, fastest way back {backwards:.4f}")
