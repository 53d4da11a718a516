"""A perceptron on Fourier features, for solutions of many scales."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dtpinn.checks import check_number
from dtpinn.models.network import Network


class FourierMLP(Network):
    """An :class:`~dtpinn.models.MLP` whose first layer sees waves instead of coordinates.

    Points x become ``[cos(K x), sin(K x)]``, with `width` // 2 wave vectors K (at least one) that
    are drawn from a normal distribution once and never trained; then come `depth` hidden layers. A
    perceptron learns what varies slowly first, and the rest hardly; here the waves are there from
    the start.

    Parameters
    ----------
    inputs : int
        Coordinates of a point: d, or d + 1 with time.
    bandwidth : float
        Standard deviation of the entries of K, in radians per unit of the coordinates that the
        network sees: normalised, the domain is [-2, 2] wide. About the wavenumber of the finest
        scale of the solution; far above it the network makes ripples between the nodes.
    width, depth, fields, activation, dtype, device, seed, normalise
        As for every :class:`~dtpinn.models.Network`.

    Attributes
    ----------
    waves : (max(width // 2, 1), inputs) Tensor
        K, a buffer: in ``state_dict`` and checkpoints, and not among the parameters.

    Raises
    ------
    TypeError, ValueError
        Also for a bandwidth that is no number, or not finite and positive.

    Notes
    -----
    Tancik et al., "Fourier features let networks learn high frequency functions in low dimensional
    domains" (2020), arXiv:2006.10739; for PINNs Wang, Wang & Perdikaris, "On the eigenvector bias
    of Fourier feature networks" (2021), arXiv:2012.10047.

    Examples
    --------
    >>> model = FourierMLP(2, width=20, depth=2, seed=0)
    >>> model(torch.zeros(10, 2, dtype=torch.float64)).shape
    torch.Size([10])
    >>> model.waves.shape, model.waves.requires_grad
    (torch.Size([10, 2]), False)
    """

    waves: Tensor

    def __init__(self, inputs: int, *, bandwidth: float = 1.0, **shared: Any) -> None:
        self.bandwidth = check_number("FourierMLP", "bandwidth", bandwidth, above=0.0)
        super().__init__(inputs, **shared)

    def draw(self) -> None:
        """Set the waves and the layers."""
        count = max(self.width // 2, 1)
        waves = torch.randn(count, self.inputs, dtype=torch.float32, device="cpu")
        self.register_buffer("waves", self.bandwidth * waves)
        sizes = [2 * count, *[self.width] * self.depth, self.fields]
        self.layers = self.linear_layers(sizes)

    def values(self, x: Tensor) -> Tensor:
        """Return the values (n, fields) at points (n, inputs)."""
        phases = x @ self.waves.mT
        return self.perceptron(torch.cat([torch.cos(phases), torch.sin(phases)], dim=-1))

    def config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().config(), "bandwidth": self.bandwidth}
