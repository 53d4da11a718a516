"""Where on the boundary does a condition hold a derivative of the unknown?"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dtpinn.pde import Derivatives, Operator
from dtpinn.pde.derivatives import Argument
from dtpinn.problem.dry_run import dummy_unknown
from dtpinn.problem.regions import Region


class _Probe(Derivatives):
    """A ``D`` whose answers are leaves of autograd, so that one can see which of them are used."""

    def __init__(self, dimension: int, u: Tensor, at: tuple[Tensor, ...]) -> None:
        self.dimension, self._u, self._at = dimension, u, at
        self.leaves: list[Tensor] = []

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        values = of if isinstance(of, Tensor) else of(self._u, *self._at)
        # Not all ones: what is subtracted from another derivative must not vanish by chance.
        leaf = torch.full_like(values, 1.0 + 0.1 * len(self.leaves)).detach().requires_grad_()
        self.leaves.append(leaf)
        return leaf

    def rate(self, of: Argument, order: int) -> Tensor:
        return torch.ones_like(of if isinstance(of, Tensor) else of(self._u, *self._at))


def holds_derivative(region: Region) -> NDArray[np.bool_]:
    """Return whether the condition depends on a derivative at each of its sides, (m,).

    A condition may ask for derivatives and use them on a part of its region only
    (``torch.where``, a coefficient that vanishes). One that learns, here or in its coefficients, is
    taken to use all that it asks for.

    Parameters
    ----------
    region : Region
        A condition that has been through the dry run.
    """
    count = len(region.rows)
    if not region.asks_space:
        return np.zeros(count, dtype=np.bool_)
    module = getattr(region.function, "__self__", region.function)
    if isinstance(module, nn.Module) and any(p.requires_grad for p in module.parameters()):
        return np.ones(count, dtype=np.bool_)
    x = region.points
    u = dummy_unknown(x, region.fields)
    probe = _Probe(x.shape[1], u, (x,) if region.time is None else (x, region.time))
    with torch.enable_grad():
        r = region.function(u, probe, *region.data)
        used = torch.zeros(len(x), dtype=torch.bool)
        if r.requires_grad:
            # Squares, for slopes of several equations may cancel: rows are independent.
            for column in r.reshape(len(x), -1).unbind(1):
                slopes = torch.autograd.grad(
                    column.sum(), probe.leaves, allow_unused=True, retain_graph=True
                )
                for slope in slopes:
                    if slope is not None:
                        used |= (slope.reshape(len(x), -1) != 0).any(dim=1).cpu()
    return used.reshape(count, -1).any(dim=1).numpy()
