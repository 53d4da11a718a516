"""The paper's network: a fully connected perceptron from points to the solution."""

from __future__ import annotations

from torch import Tensor

from dtpinn.models.network import Network


class MLP(Network):
    """A multilayer perceptron: `depth` hidden layers of `width`, then a linear output layer.

    The paper's network is the default: 4 hidden layers of 50, tanh, biases; with two inputs that
    is 7851 parameters.

    Parameters
    ----------
    inputs : int
        Coordinates of a point: d, or d + 1 with time.
    width, depth, fields, activation, dtype, device, seed, normalise
        As for every :class:`~dtpinn.models.Network`: 50, 4, 1, tanh, float64 by default.

    Notes
    -----
    The initial weights are `nn.Linear`'s (uniform in +-1/sqrt(fan-in)).

    Examples
    --------
    >>> import torch
    >>> model = MLP(2, seed=0)
    >>> sum(p.numel() for p in model.parameters())
    7851
    >>> model(torch.zeros(10, 2, dtype=torch.float64)).shape
    torch.Size([10])
    >>> MLP(3, width=20, depth=2, fields=4)
    MLP(inputs=3, width=20, depth=2, fields=4, activation='tanh', dtype=torch.float64)
    """

    def draw(self) -> None:
        """Set the layers."""
        self.layers = self.linear_layers([self.inputs, *[self.width] * self.depth, self.fields])

    def values(self, x: Tensor) -> Tensor:
        """Return the values (n, fields) at points (n, inputs)."""
        return self.perceptron(x)
