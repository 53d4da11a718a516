"""A glass pipe in a copper one: two materials, and the interface between them."""

import torch

import dtpinn
from dtpinn.geometry import Annulus, Subdomains

pipe = Subdomains({"glass": Annulus(0.010, 0.015), "copper": Annulus(0.015, 0.020)})  # metres
k = dtpinn.pde.Piecewise(pipe, {"glass": 1.38, "copper": 400.0})  # W/(m K)
hot = dtpinn.Dirichlet(lambda x, n: torch.full((len(x),), 100.0))
cold = dtpinn.Dirichlet(lambda x, n: torch.full((len(x),), 20.0))
sides = {"glass.inner": hot, "copper.outer": cold} | dtpinn.pde.joints(pipe, k)

nodes = dtpinn.place_nodes(pipe, spacing=0.0008)
problem = dtpinn.discretize(dtpinn.Poisson(None, sides, conductivity=k), nodes, order=4)
u = problem.solve()
met = problem.interpolate(u, pipe.apart([[0.015, 0.0]])).item()
print(f"glass and copper meet at {met:.2f} degrees")
