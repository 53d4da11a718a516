"""A perceptron of residual blocks."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from dtpinn.models.network import Network


class ResidualMLP(Network):
    """A first hidden layer, then `depth` blocks ``h + act(V act(W h + a) + b)``, then a linear one.

    What goes past the blocks reaches the output, and the gradient the first layer, however deep the
    network is. It is the block of the deep Ritz method, of two hidden layers each.

    Parameters
    ----------
    inputs : int
        Coordinates of a point: d, or d + 1 with time.
    depth : int
        Number of blocks, each as much work as two hidden layers.
    width, fields, activation, dtype, device, seed, normalise
        As for every :class:`~dtpinn.models.Network`.

    Notes
    -----
    He et al., "Deep residual learning for image recognition" (2015), arXiv:1512.03385; in this form
    E & Yu, "The deep Ritz method" (2018), arXiv:1710.00211, section 2.1.

    Examples
    --------
    >>> import torch
    >>> model = ResidualMLP(2, width=20, depth=3, seed=0)
    >>> len(model.layers)
    8
    >>> model(torch.zeros(10, 2, dtype=torch.float64)).shape
    torch.Size([10])
    """

    def __init__(self, inputs: int, *, depth: int = 2, **shared: Any) -> None:
        super().__init__(inputs, depth=depth, **shared)

    def draw(self) -> None:
        """Set the layers: the first, two for each block, the last."""
        hidden = [self.width] * (1 + 2 * self.depth)
        self.layers = self.linear_layers([self.inputs, *hidden, self.fields])

    def values(self, x: Tensor) -> Tensor:
        """Return the values (n, fields) at points (n, inputs)."""
        first, *blocks, last = self.layers
        h = self.activation(first(x))
        for inner, outer in zip(blocks[::2], blocks[1::2], strict=True):
            h = h + self.activation(outer(self.activation(inner(h))))
        y: Tensor = last(h)
        return y
