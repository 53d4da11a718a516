"""A point cloud and measurements from a file, and the coefficient that explains them."""

import numpy as np
import torch
from torch import nn

import dtpinn


class Screened(dtpinn.PDE):
    """Lap u = k u with an unknown k; u is known on the boundary and measured inside."""

    def __init__(self, points, values):
        super().__init__()
        self.k = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
        self.measured = dtpinn.pde.NodalData(points, values)

    def residual(self, u, D, x):
        return torch.stack([D.laplacian(u) - self.k * u, u - self.measured(x)], dim=1)

    def boundary(self, u, D, x, n):
        return u - self.measured(x)


def write_cloud(name):
    """Make up a file: x, y, measured u, and the outward normal, which is 0 inside."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.12, seed=0)
    x, y = nodes.collocation.T
    u = np.exp(2 * x) * np.sin(y) + 1e-3 * np.random.default_rng(0).standard_normal(len(x))  # k = 3
    normals = np.concatenate([np.zeros_like(nodes.interior), nodes.normals])
    np.savetxt(name, np.column_stack([x, y, u, normals]))


write_cloud("cloud.txt")
table = np.loadtxt("cloud.txt")
points, values, normals = table[:, :2], table[:, 2], table[:, 3:]
edge = np.linalg.norm(normals, axis=1) > 0.5
nodes = dtpinn.Nodes.from_points(points[~edge], points[edge], normals[edge])

pde = Screened(points, values)
problem = dtpinn.discretize(pde, nodes, order=4)
model = dtpinn.MLP(2, width=20, depth=1, seed=0)
result = dtpinn.fit(model, problem, epochs=60, optimizer="gauss-newton")
print(f"k = {result.coefficients['k']:.4f} from {len(points)} noisy values (truth: 3)")
