"""A plate heated inside and cooled at its rim: fluxes alone, and the mean that they leave open."""

import torch

import dtpinn

plate = dtpinn.geometry.Rectangle((-1, -1), (1, 1)) - dtpinn.geometry.Disk(0.4)
nodes = dtpinn.place_nodes(plate, spacing=0.06, seed=0)
outflow = -(4 - 0.16 * torch.pi) / 8  # the source adds up to the area, the edges are 8 long
fluxes = {
    part: dtpinn.Neumann(lambda x, n: torch.full_like(x[:, 0], outflow))
    for part in ("left", "right", "bottom", "top")
}
fluxes["circle"] = dtpinn.Neumann(lambda x, n: torch.zeros_like(x[:, 0]))
pde = dtpinn.Poisson(lambda x: -torch.ones_like(x[:, 0]), fluxes)

problem = dtpinn.discretize(pde, nodes, order=4, constraints=[dtpinn.Mean(20.0)])
u = problem.solve()
weights = torch.tensor(dtpinn.rbffd.quadrature(nodes).domain)
print(f"mean {weights @ u / weights.sum():.6f}, from {u.min():.4f} to {u.max():.4f}")
