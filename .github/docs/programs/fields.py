"""Salt and heat in a wall: two fields with names, and conditions of each."""

import torch

import dtpinn
from dtpinn.pde import Dirichlet, Neumann


class Wall(dtpinn.PDE):
    """Heat drives salt, which is taken up on its way."""

    fields = ("heat", "salt")

    def residual(self, u, D, x):
        heat, salt = D.laplacian(u).unbind(1)
        return torch.stack([heat, salt + 0.1 * heat - u[:, 1]], dim=1)

    def conditions(self):
        return {
            "left": [Dirichlet(20.0, field="heat"), Neumann(1.0, field="salt")],
            "right": Dirichlet((5.0, 0.0)),
            "*": Neumann(),
        }


nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle((0, 0), (1, 1)), spacing=0.1)
problem = dtpinn.discretize(Wall(), nodes)
u = problem.solve()
print(", ".join(problem.names))
print(f"salt at the left {u[problem.points[:, 0] == 0, 1].mean():.5f}; tanh 1 = 0.76159")
