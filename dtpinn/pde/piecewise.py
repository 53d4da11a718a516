"""Piecewise: what is different in each piece of a body of several materials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from dtpinn.arrays import Floats
from dtpinn.pde.coefficients import Checked, Coefficient, checked
from dtpinn.pde.diffusion import with_gradient


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
        self._seen: Any = WeakIdKeyDictionary()
        # As a result calls what is learnt there: boundary.left.alpha.in_copper. No dots in these.
        self._held = [f"in_{name}".replace(".", "_") for name in body.names]
        if len(set(self._held)) < len(self._held):
            self._held = [f"{held}_{number}" for number, held in enumerate(self._held)]
        for held, name in zip(self._held, body.names, strict=True):
            setattr(self, held, checked(f"Piecewise: {name}", values[name]))

    def extra_repr(self) -> str:
        """Show the pieces when printed."""
        return ", ".join(self.body.names)

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the values at points x (n, d) of the pieces laid apart."""
        return self._joined(_value, x, *others)

    def gradient(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the gradient of values (n,) in space, (n, d)."""
        return self._joined(_gradient, x, *others)

    def _joined(self, of: Callable[..., Tensor], x: Tensor, *others: Tensor) -> Tensor:
        pieces = self._pieces(x)
        parts = [
            of(getattr(self, self._held[number]), places, *(o[rows] for o in others))
            for number, rows, places in pieces
        ]
        order = torch.argsort(torch.cat([rows for _, rows, _ in pieces]))
        return torch.cat(parts)[order]

    def _pieces(self, x: Tensor) -> list[tuple[int, Tensor, Tensor]]:
        """The pieces with points: their number, the rows, and where these are in the body."""
        known: list[tuple[int, Tensor, Tensor]] | None = self._seen.get(x)
        if known is not None:
            return known
        piece = torch.bucketize(x[:, 0].detach().contiguous(), x.new_tensor(self.body.cuts))
        found = []
        for number, offset in enumerate(x.new_tensor(self.body.offsets)):
            rows = torch.nonzero(piece == number)[:, 0]
            if len(rows):
                found.append((number, rows, x[rows] - offset))
        if not x.requires_grad:  # so that known pieces meet their points again
            self._seen[x] = found
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Copies and checkpoints forget the points."""
        return {**self.__dict__, "_seen": WeakIdKeyDictionary()}


def _value(of: Checked, x: Tensor, *others: Tensor) -> Tensor:
    if isinstance(of, (float, complex, Tensor)):
        return torch.as_tensor(of, dtype=x.dtype, device=x.device).expand(len(x))
    value: Tensor = of(x, *others)
    return value


def _gradient(of: Checked, x: Tensor, *others: Tensor) -> Tensor:
    if isinstance(of, (float, complex, Tensor)):
        return torch.zeros_like(x)
    return with_gradient(of, x, *others)[1]
