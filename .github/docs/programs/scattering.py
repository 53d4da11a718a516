"""A plane wave meets a hard cylinder; the outer boundary lets the scattered one leave."""

import torch

import dtpinn
from dtpinn.pde import to_complex

k, far = 6.0, 1.5


def slope(x, n):
    """Less that of the incident wave, exp(ikx)."""
    return -1j * k * n[:, 0] * torch.exp(1j * k * x[:, 0])


conditions = {
    "inner": dtpinn.Neumann(slope),
    "outer": dtpinn.Robin(1.0, 1 / (2 * far) - 1j * k),  # leaving: Bayliss and Turkel (1980)
}
scattered = dtpinn.Complex(dtpinn.Helmholtz(None, conditions, wavenumber=k))
nodes = dtpinn.place_nodes(dtpinn.geometry.Annulus(0.3, far), spacing=0.06, seed=0)
solution = dtpinn.discretize(scattered, nodes, order=4).solve()
u = to_complex(solution)
solution.picture("scattered.png", title="Real and imaginary part of the scattered wave")
