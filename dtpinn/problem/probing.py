"""What a residual is about at each point: values of the unknown, or derivatives of it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dtpinn.arrays import Floats, Integers
from dtpinn.pde import Derivatives, Operator
from dtpinn.pde.arguments import Argument
from dtpinn.problem.dry_run import ROWS, dummy_unknown
from dtpinn.problem.regions import Region

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Held:
    """What a residual depends on at each of its rows or sides, by field.

    Attributes
    ----------
    value : (m, fields) bool array
        Whether it holds the field itself.
    order : (m, fields) int array
        Of the highest derivative of the field in it; 0 without one.
    """

    value: Flags
    order: Integers

    @property
    def derivative(self) -> Flags:
        """Whether it holds a derivative of the field, (m, fields)."""
        return self.order > 0


class _Probe(Derivatives):
    """A ``D`` whose answers are leaves of autograd, so that one can see which of them are used."""

    def __init__(self, dimension: int, u: Tensor, at: tuple[Tensor, ...]) -> None:
        self.dimension, self._u, self._at = dimension, u, at
        self.state = (u, *at)
        self.leaves: list[Tensor] = []
        self.orders: list[int] = []

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        values = of if isinstance(of, Tensor) else of(self._u, *self._at)
        if operator.order == 0:  # the value at another place
            return values
        # Not all ones: what is subtracted from another derivative must not vanish by chance.
        leaf = torch.full_like(values, 1.0 + 0.1 * len(self.leaves)).detach().requires_grad_()
        self.leaves.append(leaf)
        self.orders.append(operator.order)
        return leaf

    def rate(self, of: Argument, order: int) -> Tensor:
        return torch.ones_like(of if isinstance(of, Tensor) else of(self._u, *self._at))


def held(region: Region) -> Held:
    """Return what a residual holds at each of its rows or sides.

    It may ask for derivatives and use them on a part of its region only (``torch.where``, a
    coefficient that vanishes). One that learns, here or in its coefficients, is taken to use all
    that it asks for.

    Parameters
    ----------
    region : Region
        It has been through the dry run.
    """
    count, fields = len(region.rows), region.fields
    module = getattr(region.function, "__self__", region.function)
    if isinstance(module, nn.Module) and any(p.requires_grad for p in module.parameters()):
        everything = np.ones((count, fields), dtype=np.bool_)
        return Held(everything, everything * region.highest)
    value, order = _probed(region, region.data)
    # In space-time a side holds what it holds at any of the times.
    own, highest = (part.reshape(count, -1, fields).amax(dim=1).numpy() for part in (value, order))
    return Held(own, highest)


def orders(equation: Region) -> Integers:
    """Return the order of the highest derivative of each field in an equation, (fields,).

    As it is at some of its points, spread over all: known functions are evaluated nowhere else.
    """
    index = torch.linspace(0, len(equation.points) - 1, ROWS).round().long()
    data = [part[index.to(part.device)] for part in equation.data]
    return np.asarray(_probed(equation, data)[1].amax(dim=0).numpy())


def given_values(region: Region) -> Floats:
    """Return the values of the fields that a condition gives, (m, fields), NaN of others.

    It gives them where it holds as many fields as it has equations and no derivative, and is linear
    in them: of a condition in time, of one that learns, none.

    Parameters
    ----------
    region : Region
        On the boundary; it has been through the dry run.
    """
    x, fields, what = region.data[0], region.fields, held(region)
    given = np.full((len(region.rows), fields), np.nan)
    gives = (what.value.sum(axis=1) == region.equations) & ~what.derivative.any(axis=1)
    if region.time is not None or not gives.any():
        return given
    u = x.new_zeros((len(x), fields) if fields > 1 else len(x)).requires_grad_()
    probe = _Probe(x.shape[1], u.detach(), (x,))
    with torch.enable_grad():
        r = region.function(u, probe, *region.data).reshape(len(x), -1)
    slopes = [torch.autograd.grad(c.sum(), u, retain_graph=True)[0] for c in r.unbind(1)]
    A = torch.stack([slope.reshape(len(x), -1) for slope in slopes], dim=1)[gives]
    values = -(torch.linalg.pinv(A) @ r.detach()[gives][:, :, None])[:, :, 0]
    given[gives] = np.where(what.value[gives], values.double().cpu().numpy(), np.nan)
    return given


def _probed(region: Region, data: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Which fields a residual holds at given points, and up to what derivative, (n, fields)."""
    x, fields = data[0], region.fields
    u = dummy_unknown(x, fields).requires_grad_()
    probe = _Probe(x.shape[1], u.detach(), (x,) if region.time is None else (x, data[-1]))
    with torch.enable_grad():
        r = region.function(u, probe, *data)
    by_leaf = _dependence(r, [u, *probe.leaves])

    def by_field(used: Tensor) -> Tensor:
        """Of a function of the unknown with other columns than fields: any of them."""
        columns = used.reshape(len(x), -1)
        return columns if columns.shape[1] == fields else columns.any(1, keepdim=True)

    nothing = torch.zeros(len(x), fields, dtype=torch.bool)
    own, *others = [nothing | by_field(used) for used in by_leaf]
    highest = [nothing.long(), *(of * used for of, used in zip(probe.orders, others, strict=True))]
    return own, torch.stack(highest).amax(dim=0)


def _dependence(r: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """Where each of the leaves has a slope in a residual: a flag for each of its values."""
    used = [torch.zeros(leaf.shape, dtype=torch.bool) for leaf in leaves]
    if r.requires_grad:
        # Column by column, for slopes of several equations may cancel: rows are independent.
        for column in r.reshape(len(r), -1).unbind(1):
            if not column.requires_grad:
                continue
            slopes = torch.autograd.grad(column.sum(), leaves, allow_unused=True, retain_graph=True)
            for flags, slope in zip(used, slopes, strict=True):
                if slope is not None:
                    flags |= (slope != 0).cpu()
    return used
