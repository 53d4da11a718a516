"""The residuals of a discrete problem and their sparse Jacobians in the nodal values.

A residual is pointwise in u, in its rates du/dt and d2u/dt2 and in the operator values
z_k = M_k v_k(u), so its Jacobian in u is ``diag(dr/du) + sum_k diag(dr/dz_k) M_k diag(dv_k/du)``,
and the one in a rate is ``diag(dr/drate)``; the diagonals are one backward pass for each equation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import nn

from dtpinn.arrays import Floats
from dtpinn.problem.jacobian.linear_derivatives import NodalState
from dtpinn.problem.jacobian.linear_residual import LinearResidual
from dtpinn.problem.jacobian.linear_sum import LinearSum
from dtpinn.problem.matrices import Matrices
from dtpinn.problem.posed import Posed
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import TimeSlices


@dataclass(frozen=True)
class Linearization:
    """Residuals and Jacobians at one state, in float64.

    Row i * equations + e is equation e at point i, in the order of ``problem.residuals``; column
    (node * times + time) * fields + field is a nodal value on X~. Where no slope has changed since
    the last call a Jacobian is the very same object, read-only: ``is`` tells whether what was made
    of it still holds, as it always does for a linear equation.

    Attributes
    ----------
    residuals : dict of name to (n, equations) array
    jacobians : dict of name to (n * equations, nodes * times * fields) csr_array
        In u.
    rates : tuple of dict of name to csr_array of the same shape
        In du/dt and, where a residual asks for ``D.time(u, 2)``, in d2u/dt2: as many as there are
        derivatives in time, none for a steady problem.
    """

    residuals: dict[str, Floats]
    jacobians: dict[str, csr_array]
    rates: tuple[dict[str, csr_array], ...]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {r.shape}" for name, r in self.residuals.items())
        in_time = f" and {len(self.rates)} rate(s)" if self.rates else ""
        return f"Linearization(residuals {sizes}, with Jacobians in u{in_time})"


class Linearizer:
    """The linearisation of residuals at some times, with all that stays from state to state.

    Parameters
    ----------
    posed : Posed
    regions : sequence of Region
        Whose residuals are linearised; that of the initial condition at the first of the times.
    matrices : Matrices
        Of these regions.
    slices : TimeSlices
        Any times, not the problem's alone: the stages of an integration lie between those.
    """

    def __init__(
        self, posed: Posed, regions: Sequence[Region], matrices: Matrices, slices: TimeSlices
    ) -> None:
        self._pde, self._matrices, self._slices = posed.pde, matrices, slices
        self.time_order = posed.time_order
        self.device = posed.device
        self._nodes = torch.tensor(posed.nodes.extended, dtype=torch.float64, device=self.device)
        self._x = slices.repeat(self._nodes)
        self.shape = (len(self._x), *posed.nodal_shape[1:])
        self._t = slices.spread(self._nodes)
        self._residuals = [self._on(region, region is posed.initial) for region in regions]

    def move(self, slices: TimeSlices) -> None:
        """Go to as many other times."""
        self._t = slices.spread(self._nodes)
        for residual in self._residuals:
            residual.move(self._t)

    def __call__(self, u: Floats, *rates: Floats) -> Linearization:
        """Return residuals and Jacobians at nodal values and, in space-time, their rates.

        Raises
        ------
        ValueError
            If a shape is wrong, or a rate is missing or superfluous.
        """
        everywhere = self._state(self._checked("u", u), self._checked_rates(rates))
        residuals, jacobians = {}, {}
        in_rates: tuple[dict[str, csr_array], ...] = tuple({} for _ in rates)
        with in_double(self._pde):
            for residual in self._residuals:
                name = residual.name
                residuals[name], jacobians[name], slopes = residual(everywhere)
                for by_name, slope in zip(in_rates, slopes, strict=True):
                    by_name[name] = slope
        return Linearization(residuals, jacobians, in_rates)

    def _on(self, region: Region, initially: bool) -> LinearResidual | LinearSum:
        slices, normals = self._slices, None
        sites = slices.sites_at(region.rows, 0) if initially else slices.sites(region.rows)
        matrices = self._matrices
        if initially:
            matrices, slices = matrices.at_first_of(slices.count), slices.beginning()
        if region.outward is not None:
            outward = torch.tensor(region.outward, dtype=torch.float64, device=self.device)
            normals = slices.repeat(outward)
        blank = self._state(np.zeros(self.shape), ())
        found = LinearResidual(
            region.name, region.function, sites, blank, normals, slices, matrices, self.time_order
        )
        return found if region.weights is None else LinearSum(found, region.weights, slices)

    def _state(self, u: Floats, rates: Sequence[Floats]) -> NodalState:
        values, *slopes = (
            torch.tensor(v, dtype=torch.float64).to(self.device) for v in (u, *rates)
        )
        return NodalState(values.requires_grad_(), tuple(slopes), self._x, self._t)

    def _checked(self, name: str, values: Floats) -> Floats:
        if np.shape(values) != self.shape:
            raise ValueError(
                f"linearize: {name} must hold the nodal values on X~ at all times, "
                f"shape {self.shape}, got {np.shape(values)}"
            )
        if np.iscomplexobj(values):
            raise TypeError(f"linearize: {name} must be real, got {np.asarray(values).dtype}")
        return np.ascontiguousarray(values, dtype=np.float64)

    def _checked_rates(self, rates: Sequence[Floats]) -> list[Floats]:
        if len(rates) != self.time_order:
            told = (
                "a steady problem has no rate of change; pass u alone",
                "a space-time problem needs du/dt as well: linearize(u, rate)",
                "a problem with D.time(u, 2) needs du/dt and d2u/dt2 as well: linearize(u, rate, "
                "second_rate)",
            )
            raise ValueError(f"linearize: {told[self.time_order]}")
        return [self._checked("a rate", rate) for rate in rates]


@contextmanager
def in_double(module: nn.Module) -> Iterator[None]:
    """While open, what a module holds is in float64: the very same tensors with other data.

    A layer refuses input of another dtype than its weights'.
    """
    held = [t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()]
    before = [(t, t.data) for t in held if t.dtype != torch.float64]
    for tensor, data in before:
        tensor.data = data.double()
    try:
        yield
    finally:
        for tensor, data in before:
            tensor.data = data
