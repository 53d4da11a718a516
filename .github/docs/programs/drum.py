"""The tones of a drum: a membrane let go, and the frequencies in what it does."""

import numpy as np
import torch

import dtpinn

nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1, seed=0)
pde = dtpinn.Wave(None, dtpinn.Dirichlet(), initial=lambda x: 1 - (x**2).sum(1), speed=1.0)
problem = dtpinn.discretize(pde, nodes, order=5, times=torch.linspace(0, 4, 41))
u = problem.solve(time_tolerance=1e-8).reshape(nodes.count, -1).numpy()  # a column for each time

# Every mode has u(t + h) + u(t - h) = 2 cos(omega h) u(t): an eigenvalue problem among the columns.
before, now, after = u[:, :-2], u[:, 1:-1], u[:, 2:]
P, s, Qt = np.linalg.svd(now, full_matrices=False)
P, s, Q = P[:, :4], s[:4], Qt[:4].T
cosines = np.linalg.eigvals(P.T @ (before + after) / 2 @ Q / s).real
tones = np.sort(np.arccos(cosines)) / 0.1
print("omega =", tones.round(4)[:3], "; zeros of J_0: 2.4048, 5.5201, 8.6537")
