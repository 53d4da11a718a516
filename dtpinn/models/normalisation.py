"""Normalisation: a network sees points and makes values of size 1, whatever the units."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# The bounding box becomes [-REACH, REACH] in every coordinate.
REACH = 2.0


class Normalisation(nn.Module):
    """Affine maps before and after a network: nothing, until they are set.

    They are buffers: part of ``state_dict``, copies and checkpoints, and never trained.

    Parameters
    ----------
    inputs, fields : int
        Coordinates of a point, unknowns.
    dtype, device
        Of the network.

    Attributes
    ----------
    middle, factor : (inputs,) Tensor
    centre, unit : (fields,) Tensor
    known : bool Tensor
        Whether they have been set.

    Examples
    --------
    >>> normalisation = Normalisation(2, 1)
    >>> box = torch.tensor([[0.0, 1.0], [1e-5, 3.0]], dtype=torch.float64)
    >>> normalisation.set(*box, centre=torch.tensor([300.0]), unit=torch.tensor([0.5]))
    >>> normalisation.inwards(box).round(decimals=9).tolist()
    [[-2.0, -2.0], [2.0, 2.0]]
    >>> normalisation.outwards(torch.ones(1, 1)).tolist()
    [[300.5]]
    """

    middle: Tensor
    factor: Tensor
    centre: Tensor
    unit: Tensor
    known: Tensor

    def __init__(
        self,
        inputs: int,
        fields: int,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        for name, size, value in (
            ("middle", inputs, 0.0), ("factor", inputs, 1.0),
            ("centre", fields, 0.0), ("unit", fields, 1.0),
        ):  # fmt: skip
            self.register_buffer(name, torch.full((size,), value, dtype=dtype, device=device))
        self.register_buffer("known", torch.tensor(False, device=device))

    @torch.no_grad()
    def set(self, low: Tensor, high: Tensor, *, centre: Tensor, unit: Tensor) -> None:
        """Map a box to [-2, 2] in every coordinate, and values of the network to the unknowns'.

        Parameters
        ----------
        low, high : (inputs,) Tensor
            Corners of the box; a side of length 0 is only moved.
        centre, unit : (fields,) Tensor
            A value v of the network stands for ``centre + unit * v``.

        Raises
        ------
        ValueError
            If a shape is another one.
        """
        pairs = {"low": low, "high": high, "centre": centre, "unit": unit}
        for name, values in pairs.items():
            wanted = self.middle.shape if name in ("low", "high") else self.unit.shape
            if values.shape != wanted:
                raise ValueError(
                    f"Normalisation: expected {name} of shape {tuple(wanted)}, got "
                    f"{tuple(values.shape)}; the network has {len(self.middle)} inputs and "
                    f"{len(self.unit)} field(s)"
                )
        low, high = low.double(), high.double()
        extent = torch.where(high > low, high - low, 2.0 * REACH)
        self.middle.copy_((low + high) / 2.0)
        self.factor.copy_(2.0 * REACH / extent)
        self.centre.copy_(centre)
        self.unit.copy_(unit)
        self.known.fill_(True)

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return middle, factor, centre and unit."""
        return self.middle, self.factor, self.centre, self.unit

    def inwards(self, x: Tensor) -> Tensor:
        """Points (n, inputs) as the network sees them."""
        return (x - self.middle) * self.factor

    def outwards(self, u: Tensor) -> Tensor:
        """Values (n, fields) of the network as the unknowns that they stand for."""
        return u * self.unit + self.centre


class Normalised(nn.Module):
    """Any network with a normalisation around it, which ``fit`` sets as it does an MLP's.

    Parameters
    ----------
    model : nn.Module
        (n, inputs) -> (n,) or (n, fields).
    inputs, fields : int

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    >>> model = Normalised(net, inputs=2)
    >>> model(torch.zeros(5, 2, dtype=torch.float64)).shape
    torch.Size([5])
    """

    def __init__(self, model: nn.Module, inputs: int, fields: int = 1) -> None:
        super().__init__()
        first = next(iter(model.parameters()))
        self.model, self.fields = model, fields
        self.normalisation = Normalisation(inputs, fields, dtype=first.dtype, device=first.device)
        self.drawn = Drawn(model)

    def forward(self, x: Tensor) -> Tensor:
        """The network's value at points (n, inputs): (n,), or (n, fields) with several."""
        u = self.model(self.normalisation.inwards(x))
        u = u if self.fields > 1 or u.shape[-1:] == (1,) else u[..., None]
        u = self.normalisation.outwards(u)
        return u.squeeze(-1) if self.fields == 1 else u


class Drawn:
    """Remembers a network as it was drawn, to tell whether it has learnt anything since.

    To normalise a trained network would be to forget what it has learnt. Its last parameter, which
    every training changes, tells.

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> drawn = Drawn(layer)
    >>> still = drawn.is_still(layer)
    >>> _ = layer.bias.data.add_(1.0)
    >>> still, drawn.is_still(layer)
    (True, False)
    """

    def __init__(self, model: nn.Module) -> None:
        self._last = self._of(model)

    def is_still(self, model: nn.Module) -> bool:
        """Whether the network is as it was drawn, to the rounding of another dtype."""
        now, drawn = (last.double().cpu() for last in (self._of(model), self._last))
        return bool((now - drawn).norm() <= 1e-6 * drawn.norm())

    @staticmethod
    def _of(model: nn.Module) -> Tensor:
        return list(model.parameters())[-1].detach().clone()
