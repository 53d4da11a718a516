"""Conditions and answers that elastic bodies share."""

from __future__ import annotations

import torch
from torch import Tensor

from dtpinn.pde import BoundaryCondition, Derivatives, Material


class Symmetry(BoundaryCondition):
    """A plane of symmetry: no displacement along the normal, no force across it."""

    def __init__(self, material: Material) -> None:
        super().__init__()
        self.material = material

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor) -> Tensor:
        """(n, d): along the normal a displacement, across it forces, over the shear modulus."""
        shear = torch.as_tensor(self.material.lame(x)[1]).reshape(-1, 1)
        force = torch.einsum("nij,nj->ni", self.material.stress(u, D), n) / shear
        across = force - (force * n).sum(1, keepdim=True) * n
        return across + (u * n).sum(1, keepdim=True) * n
