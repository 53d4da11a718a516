"""A perceptron of sines with initial weights of its own: SIREN."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from dtpinn.checks import check_number
from dtpinn.models.activations import Activation
from dtpinn.models.network import Network


class Siren(Network):
    """Hidden layers ``sin(omega (W x + b))``, drawn so that each hands on waves of equal size.

    The weights of the first layer are uniform in +-1/inputs, so that its phases reach about `omega`
    per unit; those of all later ones in +-sqrt(6 / width) / omega, so that what a sine is of has
    variance 1 however deep it is (Sitzmann et al., theorem 1.8). Biases are `nn.Linear`'s.

    Parameters
    ----------
    inputs : int
        Coordinates of a point: d, or d + 1 with time.
    omega : float
        Largest wavenumber of the first layer as it is drawn, in radians per unit of the coordinates
        that the network sees: normalised, the domain is [-2, 2] wide. About that of the finest
        scale of the solution. The paper's 30 is for images, whose every pixel is given: between the
        nodes of an equation it makes ripples that no residual sees.
    activation : str, callable, or nn.Module class
        Of what the layers make, times `omega`. The initial weights are made for the sine.
    width, depth, fields, dtype, device, seed, normalise
        As for every :class:`~dtpinn.models.Network`.

    Raises
    ------
    TypeError, ValueError
        Also for an omega that is no number, or not finite and positive.

    Notes
    -----
    Sitzmann, Martel, Bergman, Lindell & Wetzstein, "Implicit neural representations with periodic
    activation functions" (2020), arXiv:2006.09661, section 3.2.

    Examples
    --------
    >>> model = Siren(2, width=20, depth=2, seed=0)
    >>> model(torch.zeros(10, 2, dtype=torch.float64)).shape
    torch.Size([10])
    >>> model
    Siren(inputs=2, width=20, depth=2, fields=1, activation='sin', dtype=torch.float64, omega=5.0)
    """

    def __init__(
        self, inputs: int, *, omega: float = 5.0, activation: Activation = "sin", **shared: Any
    ) -> None:
        self.omega = check_number("Siren", "omega", omega, above=0.0)
        super().__init__(inputs, activation=activation, **shared)

    def draw(self) -> None:
        """Set the layers."""
        self.layers = self.linear_layers([self.inputs, *[self.width] * self.depth, self.fields])
        bounds = [1.0 / self.inputs, *[math.sqrt(6.0 / self.width) / self.omega] * self.depth]
        for layer, bound in zip(self.layers, bounds, strict=True):
            torch.nn.init.uniform_(layer.get_parameter("weight"), -bound, bound)

    def values(self, x: Tensor) -> Tensor:
        """Return the values (n, fields) at points (n, inputs)."""
        for layer in self.layers[:-1]:
            x = self.activation(self.omega * layer(x))
        y: Tensor = self.layers[-1](x)
        return y

    def config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().config(), "omega": self.omega}
