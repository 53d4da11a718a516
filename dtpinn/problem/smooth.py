"""Smooth: what is known of an unknown coefficient field before there are any data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from dtpinn.checks import check_number
from dtpinn.nodes import Nodes
from dtpinn.pde import Derivatives
from dtpinn.problem.data import Data


@dataclass(frozen=True, eq=False)
class Smooth:
    """An unknown coefficient that is a function varies no faster than this, as far as is known.

    Regularisation for fields that data alone do not determine: an entry of ``data=[...]``, beside
    the data. Its weight follows from theirs, as Bayes' rule has it: slopes of about `slope` are as
    likely as errors of the size of the noise, and the mean square of the slope counts as one datum.
    So it decides where data say nothing, and hardly counts where they do. Standard errors of
    ``result.uncertainty`` are then those of both together. As long as the noise is not known, it is
    taken for a percent.

    Parameters
    ----------
    coefficient : callable
        x (n, d) -> (n,), such as a network that is part of the PDE.
    slope : float
        Size of its gradient that is to be expected, in its units per length.
    name : str
        Of the residual.

    Examples
    --------
    A source along a rod, of which three sensors tell little:

    >>> import torch, dtpinn
    >>> class Rod(dtpinn.PDE):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.source = dtpinn.MLP(1, width=6, depth=1, seed=1)
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) - self.source(x)
    ...     def boundary(self, u, D, x, n):
    ...         return u
    >>> rod = dtpinn.place_nodes(dtpinn.geometry.Interval(0, 1), spacing=0.06)
    >>> pde = Rod()
    >>> seen = dtpinn.Data([[0.2], [0.5], [0.8]], [-0.08, -0.125, -0.08], noise=0.001)
    >>> known = [seen, dtpinn.Smooth(pde.source, slope=1.0)]
    >>> problem = dtpinn.discretize(pde, rod, data=known)
    >>> model = dtpinn.MLP(1, width=8, depth=1, seed=0)
    >>> result = dtpinn.fit(model, problem, epochs=30, optimizer="gauss-newton")
    >>> x = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)[:, None]
    >>> bool((pde.source(x) - 1.0).abs().max() < 0.2)
    True
    """

    coefficient: Callable[[Tensor], Tensor]
    slope: float
    name: str = "smooth"

    def at(self, nodes: Nodes, start: float | None) -> Data:
        """Return it as data at the nodes, in space-time at a time."""
        check_number("dtpinn.Smooth", "slope", self.slope, above=0.0)
        x, coefficient = nodes.collocation, self.coefficient
        count, dimension = x.shape

        def gradient(u: Tensor, D: Derivatives, *at: Tensor) -> Tensor:
            return D.gradient(lambda u, x, *t: coefficient(x))

        if start is not None:
            x = np.column_stack([x, np.full(count, start)])
        noise = self.slope * count**0.5  # so that all of them count as one
        return Data(x, np.zeros((count, dimension)), of=gradient, name=self.name, noise=noise)
