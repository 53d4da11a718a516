"""The lowest tone of a square membrane: an unknown eigenvalue, and a normalisation beside it."""

import torch

import dtpinn


class Membrane(dtpinn.PDE):
    """Lap u + E u = 0 with the rim at rest."""

    def __init__(self):
        super().__init__()
        self.E = torch.nn.Parameter(torch.tensor(4.0, dtype=torch.float64))

    def residual(self, u, D, x):
        return D.laplacian(u) + self.E * u

    def boundary(self, u, D, x, n):
        return u


square = dtpinn.geometry.Rectangle((-1.0, -1.0), (1.0, 1.0))
nodes = dtpinn.place_nodes(square, spacing=0.12, seed=0)
norm = dtpinn.Integral(1.0, of=lambda u, x: u**2)
problem = dtpinn.discretize(Membrane(), nodes, order=6, constraints=[norm])
model = dtpinn.MLP(2, width=30, depth=1, seed=0)
result = dtpinn.fit(model, problem, epochs=60, optimizer="gauss-newton")
print(f"E = {result.coefficients['E']:.7f}; pi^2 / 2 = 4.9348022")
