"""How fast a rod conducts heat, from ten noisy sensors, and how sure that is."""

import numpy as np
import torch
from torch import nn

import dtpinn

rng, truth = np.random.default_rng(0), 0.1
x, t = rng.uniform(0.1, 0.9, 10), rng.uniform(0.2, 1.0, 10)
seen = np.exp(-truth * np.pi**2 * t) * np.sin(np.pi * x) + 0.01 * rng.standard_normal(10)

rod = dtpinn.place_nodes(dtpinn.geometry.Interval(0, 1), spacing=0.05)
unknown = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))
pde = dtpinn.Heat(
    None, dtpinn.Dirichlet(), lambda x: torch.sin(torch.pi * x[:, 0]), diffusivity=unknown
)
data = [dtpinn.Data(np.stack([x, t], axis=1), seen)]
problem = dtpinn.discretize(pde, rod, times=torch.linspace(0, 1, 7), data=data)
model = dtpinn.MLP(2, width=12, depth=2, seed=0)
result = dtpinn.fit(model, problem, epochs=25, optimizer="gauss-newton")
print(result.coefficients, result.uncertainty)
