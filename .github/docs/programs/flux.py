"""A steam pipe in an insulation that conducts better where it is hotter."""

import torch

import dtpinn
from dtpinn.geometry import Annulus


class Insulation(dtpinn.PDE):
    """div flux = 0, between steam at 150 degrees and air at 20."""

    def flux(self, u, D, x):  # W/m^2, of the temperature u in degrees
        return -0.04 * (1 + 0.005 * u[:, None]) * D.gradient(u)

    def residual(self, u, D, x):
        return D.divergence(self.flux)

    def conditions(self):
        return {
            "inner": lambda u, D, x, n: u - 150.0,  # the steam
            "outer": lambda u, D, x, n: (self.flux(u, D, x) * n).sum(1) - 10.0 * (u - 20.0),
        }


nodes = dtpinn.place_nodes(Annulus(0.05, 0.10), spacing=0.004)  # metres
problem = dtpinn.discretize(Insulation(), nodes, order=4)
u = problem.solve()
outside = torch.tensor(nodes.collocation).norm(dim=1) > 0.0999
print(f"the insulation is at {u[outside].mean():.2f} degrees outside")
