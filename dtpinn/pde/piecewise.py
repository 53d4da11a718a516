"""Piecewise: what is different in each piece of a body of several materials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from dtpinn.arrays import Floats
from dtpinn.pde.coefficients import Coefficient, checked
from dtpinn.pde.known import Known


class Pieces(Protocol):
    """What is asked of a body laid apart: :class:`~dtpinn.geometry.Subdomains`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the pieces."""

    @property
    def interfaces(self) -> tuple[tuple[str, str], ...]:
        """Pairs of pieces that touch."""

    offsets: Floats
    cuts: Floats


class Piecewise(nn.Module):
    """A function of the points that is given piece by piece: a conductivity, a source, a solution.

    Parameters
    ----------
    body : Subdomains
    values : mapping of name to float, nn.Parameter or callable
        For every piece. A function gets the points where they are in the body, (n, d), and
        whatever else it is called with; it returns (n,) or (n, fields).

    Examples
    --------
    >>> from dtpinn.geometry import Interval, Subdomains
    >>> wall = Subdomains({"brick": Interval(0.0, 1.0), "wool": Interval(1.0, 3.0)})
    >>> k = Piecewise(wall, {"brick": 0.6, "wool": lambda x: 0.04 * x[:, 0]})
    >>> k(torch.tensor(wall.apart([[0.5], [2.0]])))
    tensor([0.6000, 0.0800], dtype=torch.float64)
    """

    def __init__(self, body: Pieces, values: Mapping[str, Coefficient]) -> None:
        super().__init__()
        if set(values) != set(body.names):
            raise ValueError(
                f"Piecewise: values are given for {sorted(values)}, but the pieces are "
                f"{list(body.names)}; give one for each"
            )
        self.body = body
        for number, name in enumerate(body.names):
            setattr(self, f"of_{number}", checked(f"Piecewise: {name}", values[name]))

    def extra_repr(self) -> str:
        """Show the pieces when printed."""
        return ", ".join(self.body.names)

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the values at points x (n, d) of the pieces laid apart."""
        piece = torch.bucketize(x[:, 0].detach(), x.new_tensor(self.body.cuts))
        parts, rows = [], []
        for number, offset in enumerate(x.new_tensor(self.body.offsets)):
            here = torch.nonzero(piece == number)[:, 0]
            if len(here):
                parts.append(self._of(number, x[here] - offset, *(o[here] for o in others)))
                rows.append(here)
        order = torch.argsort(torch.cat(rows))
        return torch.cat(parts)[order]

    def _of(self, number: int, x: Tensor, *others: Tensor) -> Tensor:
        value: float | Tensor | Callable[..., Tensor] = getattr(self, f"of_{number}")
        if callable(value) and not isinstance(value, Tensor):
            # Not by Known, which remembers tensors of points: these are new ones every time.
            function = value.function if isinstance(value, Known) else value
            return function(x, *others)
        return torch.as_tensor(value, dtype=x.dtype, device=x.device).expand(len(x))
