"""Derivatives made of others: those inside a flux, and those at other places.

Here :class:`~dtpinn.pde.derivatives.Derivatives` is handed what its words make.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from dtpinn import operators
from dtpinn.operators import Operator
from dtpinn.pde.arguments import Argument, check_argument
from dtpinn.pde.derivatives import Derivatives, Derived
from dtpinn.pde.flux import Flux, Used, apart, differentiated


def flux(D: Derivatives, of: Callable[..., Tensor]) -> Flux:
    """Return what ``of(u, D, x)``, in space-time ``of(u, D, x, t)``, is, to be differentiated."""
    with torch.enable_grad():
        inside = _InFlux(D)
        u, *at = inside.state
        values = of(u, inside, *at)
    if not isinstance(values, Tensor) or len(values) != len(u):
        got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"a flux must return one row per point, {len(u)}, got {got}")
    return Flux(values, inside.state[1], inside.used, inside.tangent)


class _At(Derivatives):
    """``D`` at other places than the points."""

    def __init__(self, here: Derivatives, where: Callable[[Tensor], Tensor]) -> None:
        u, x, *t = here.state
        self.dimension, self._here, self._where = here.dimension, here, where
        self._unknown, places = u, where(x)
        if not isinstance(places, Tensor) or places.shape != x.shape:
            got = tuple(places.shape) if isinstance(places, Tensor) else type(places).__name__
            raise ValueError(f"D.at: expected places of shape {tuple(x.shape)}, got {got}")
        self._there, self._value = (places, *t), cast("Tensor | None", None)

    @property
    def state(self) -> tuple[Tensor, ...]:  # type: ignore[override]
        """The unknown at these places, the places, and the time."""
        if self._value is None:  # not before it is asked for: it is a matrix
            self._value = self.apply(operators.identity, self._unknown)
        return self._value, *self._there

    @property
    def points(self) -> Tensor:
        """The places."""
        return self._there[0]

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        own = of is self._value
        return self._here.apply(operator.at(self._where), self._unknown if own else of)

    def rate(self, of: Argument, order: int) -> Tensor:
        raise ValueError("D.at: there is no rate at other places; write the condition without it")


class _InFlux(Derivatives):
    """``D`` inside a flux: the same answers, each of which the flux can be differentiated in."""

    def __init__(self, outside: Derivatives) -> None:
        self.dimension, self._outside = outside.dimension, outside
        self.state = tuple(apart(part) for part in outside.state)
        self._used: dict[tuple[str, int], Used] = {}
        self._use(operators.identity, outside.state[0], self.state[0])

    @property
    def used(self) -> list[Used]:
        """What the flux has used, in its order."""
        return list(self._used.values())

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        check_argument(of, self.state[0], operator.name)
        if operator.along_normal:
            raise ValueError(
                "D.normal: a flux is differentiated, and the normal has no derivative; use "
                "D.gradient in it, and in the condition its part along the normal, "
                "(flux(u, D, x) * n).sum(1)"
            )
        if operator.where is not None:
            raise ValueError(
                "D.at: what is at another place is not differentiated in a flux; use it in the "
                "condition, beside the flux"
            )
        of = self._outside.state[0] if of is self.state[0] else of
        key = operator.name, id(of)
        if key not in self._used:
            self._use(operator, of, apart(self._outside.apply(operator, of)))
        return self._used[key].values

    def rate(self, of: Argument, order: int) -> Tensor:
        raise ValueError(
            "D.time: the rate in a flux would have to be differentiated in space; make it a field "
            "of its own, and write the flux with that"
        )

    def tangent(self, used: Used, axis: int) -> Tensor:
        """Return the derivative along an axis of something that the flux has used."""
        return self._outside.apply(differentiated(used.operator, axis), used.of)

    def _use(self, operator: Operator, of: Argument, values: Tensor) -> None:
        self._used[operator.name, id(of)] = Used(operator, of, values)


Derivatives._make = Derived(flux=flux, at=_At)
