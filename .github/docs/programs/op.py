"""A constant sparse matrix inside a torch model: a scan, and a network that learns to invert it."""

import numpy as np
import scipy.sparse
import torch
from torch import nn

from dtpinn import CSR


class Unrolled(nn.Module):
    """Ten gradient steps towards A x = y with learnt lengths: each is A, and its transpose."""

    def __init__(self, A, steps=10):
        super().__init__()
        self.A = A  # moves with .to(device), is in state_dict(), compiles
        self.lengths = nn.Parameter(torch.full((steps,), 0.1, dtype=A.dtype))

    def forward(self, y):  # (rays, scans) -> (pixels, scans)
        x = self.A.T(y)
        for length in self.lengths:
            x = x - length * self.A.T(self.A(x) - y)
        return x


rng = np.random.default_rng(0)
rays, pixels = 900, 300
scan = scipy.sparse.random_array((rays, pixels), density=0.02, rng=rng, format="csr")
A = CSR.from_scipy(scan * (1 / np.sqrt(0.02 * rays)))
images = torch.from_numpy(rng.standard_normal((pixels, 32)))
scans = A(images)

model = Unrolled(A)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
losses = []
for _ in range(150):
    optimizer.zero_grad()
    loss = (model(scans) - images).square().mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"mean squared error {losses[0]:.3f} -> {losses[-1]:.4f}, {A.nnz} entries")
