"""Where constraints hold: quadrature over the nodes of a problem, and the regions that it makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.pde import Derivatives
from dtpinn.problem.integrand import Integrand, call_integrand, takes_no_derivatives
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import TimeSlices
from dtpinn.rbffd.quadrature import Quadrature, quadrature
from dtpinn.rbffd.wall_flux import WallFlux, stands_apart, wall_flux

Value = float | Callable[[Tensor], Tensor]
"""A number, or in space-time a function of the time, t (n,) -> (n,)."""


class Place:
    """The nodes on which constraints are to hold.

    Parameters
    ----------
    nodes : Nodes
    order : int
        Of the quadrature.
    slices : TimeSlices
    dtype : torch.dtype
    fields : sequence of str
        Names of the unknowns.
    """

    def __init__(
        self,
        nodes: Nodes,
        order: int,
        slices: TimeSlices,
        dtype: torch.dtype,
        fields: Sequence[str],
    ) -> None:
        self.nodes, self.order, self.fields = nodes, order, fields
        self._slices, self._dtype = slices, dtype
        self._quadrature: Quadrature | None = None

    def weights(self, part: str | None) -> Floats:
        """Return the quadrature's on X, or on the sides of a part."""
        if self._quadrature is None:
            self._quadrature = quadrature(self.nodes, self.order)
        found = self._quadrature
        return found.domain if part is None else found.sides[self._sides(part)]

    def is_a_wall_without_ghosts(self, part: str) -> bool:
        """Return whether derivatives at a part would be one-sided, and no other part meets it."""
        own = np.isin(self.nodes.ghost_of, self.nodes.part_rows(part))
        return not own.any() and stands_apart(self.nodes, part)

    def wall_flux(self, part: str) -> WallFlux:
        """Return the weights of the flux through a part that no other meets."""
        return wall_flux(self.nodes, part, self.weights(None), self.order)

    def region(
        self,
        name: str,
        of: Integrand,
        value: Value,
        part: str | None,
        weights: Floats,
        *,
        rows: np.ndarray | None = None,
    ) -> Region:
        """Return the region of one constraint: on the sides of a part, or on X or rows of it."""
        nodes = self.nodes
        function = _Constrained(of, value, float(weights.sum()), self._slices)
        if part is None:
            rows = np.arange(nodes.count) if rows is None else rows
            sides = outward = None
        else:
            sides = self._sides(part)
            rows = nodes.interior_count + nodes.sides.point[sides]
            outward = nodes.sides.normals[sides]
        return Region(
            name, function, nodes.collocation, rows, 1, self._slices, self._dtype, sides, outward,
            weights=weights,
        )  # fmt: skip

    def _sides(self, part: str) -> np.ndarray:
        parts = self.nodes.parts
        if part not in parts:
            raise ValueError(
                f"constraints: there is no boundary part {part!r}; the parts are {', '.join(parts)}"
            )
        on_it = np.flatnonzero(self.nodes.sides.part == parts.index(part))
        if not len(on_it):
            raise ValueError(
                f"constraints: no boundary node lies in the part {part!r}: it is shorter than the "
                "spacing. Use a smaller spacing there"
            )
        return on_it


class _Constrained:
    """What is summed up: the integrand, less an even share of the wanted value.

    Attributes
    ----------
    func : callable
        The integrand itself, for messages.
    """

    def __init__(self, of: Integrand, value: Value, measure: float, slices: TimeSlices) -> None:
        self.func, self._value, self._measure = of, value, measure
        if callable(value) and slices.steady:
            raise TypeError("constraints: a value that is a function of the time needs times=...")
        self._short = takes_no_derivatives(of, slices.steady)

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, *rest: Tensor) -> Tensor:
        values = call_integrand(self.func, self._short, u, D, x, *rest)
        value = self._value(rest[-1]) if callable(self._value) else self._value
        if values.dim() != 1:
            raise ValueError(
                f"constraints: the function must return one value per point, ({len(u)},), got "
                f"{tuple(values.shape)}"
            )
        return values - value / self._measure
