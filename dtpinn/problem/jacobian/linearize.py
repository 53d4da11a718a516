"""The residuals of a discrete problem and their sparse Jacobians in the nodal values.

A residual is pointwise in u, in its rate du/dt and in the operator values z_k = M_k v_k(u), so its
Jacobian in u is ``diag(dr/du) + sum_k diag(dr/dz_k) M_k diag(dv_k/du)``, and the one in the rate is
``diag(dr/drate)``; the diagonals are one backward pass for each equation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from dtpinn.arrays import Floats
from dtpinn.problem.jacobian.linear_derivatives import NodalState
from dtpinn.problem.jacobian.linear_residual import LinearResidual
from dtpinn.problem.matrices import Matrices
from dtpinn.problem.problem import Problem
from dtpinn.problem.regions import Region, repeat


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
    rates : dict of name to csr_array of the same shape
        In du/dt; empty for a steady problem.
    """

    residuals: dict[str, Floats]
    jacobians: dict[str, csr_array]
    rates: dict[str, csr_array]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {r.shape}" for name, r in self.residuals.items())
        in_time = " and rates" if self.rates else ""
        return f"Linearization(residuals {sizes}, with Jacobians in u{in_time})"


class Linearizer:
    """A problem's linearisation at some times, with all that stays from state to state.

    Parameters
    ----------
    problem : Problem
    regions : sequence of Region
        Whose residuals are linearised.
    matrices : Matrices
        Of these regions.
    times : (n_times,) Tensor or None
        Any times, not the slices alone: the stages of an integration lie between them.
    initial : bool
        Whether the initial condition, at the first of the times, is among the residuals.
    """

    def __init__(
        self,
        problem: Problem,
        regions: Sequence[Region],
        matrices: Matrices,
        times: Tensor | None,
        initial: bool,
    ) -> None:
        self._problem, self._matrices = problem, matrices
        self.device = problem.device
        self._count = 1 if times is None else len(times)
        nodes, fields = problem.nodes, problem.pde.fields
        self._x = repeat(nodes.extended, self._count, torch.float64).to(self.device)
        self.shape = (len(self._x),) if fields == 1 else (len(self._x), fields)
        self._t = self._spread(times)
        self._residuals = [self._on(region) for region in regions]
        if initial:
            self._residuals.append(self._initial())

    def move(self, times: Tensor) -> None:
        """Go to as many other times."""
        self._t = self._spread(times)
        for residual in self._residuals:
            residual.move(self._t)

    def __call__(self, u: Floats, rate: Floats | None = None) -> Linearization:
        """Return residuals and Jacobians at nodal values and, in space-time, their rate.

        Raises
        ------
        ValueError
            If a shape is wrong, or the rate is missing or superfluous.
        """
        everywhere = self._state(self._checked("u", u), self._checked_rate(rate))
        residuals, jacobians, rates = {}, {}, {}
        with in_double(self._problem.pde):
            for residual in self._residuals:
                name = residual.name
                residuals[name], jacobians[name], slope = residual(self._matrices, everywhere)
                if slope is not None:
                    rates[name] = slope
        return Linearization(residuals, jacobians, rates)

    def _on(self, region: Region) -> LinearResidual:
        times = np.arange(self._count)
        sites = (region.rows[:, None] * self._count + times).ravel()
        normals = None
        if region.outward is not None:
            normals = repeat(region.outward, self._count, torch.float64).to(self.device)
        return LinearResidual(
            region.name, region.function, sites, self._blank(), normals, self._count
        )

    def _initial(self) -> LinearResidual:
        pde = self._problem.pde
        sites = np.arange(self._problem.nodes.count) * self._count
        return LinearResidual(
            "initial", lambda u, D, x, t: pde.initial(u, x), sites, self._blank(), None, self._count
        )

    def _blank(self) -> NodalState:
        return self._state(np.zeros(self.shape), None)

    def _state(self, u: Floats, rate: Floats | None) -> NodalState:
        tensor = torch.tensor(u, dtype=torch.float64, device=self.device).requires_grad_()
        slope = None if rate is None else torch.tensor(rate, dtype=torch.float64).to(self.device)
        return NodalState(tensor, slope, self._x, self._t)

    def _spread(self, times: Tensor | None) -> Tensor | None:
        """Each of the times at every node of X~, node-major."""
        if times is None:
            return None
        return times.to(self.device, torch.float64).repeat(len(self._problem.nodes.extended))

    def _checked(self, name: str, values: Floats) -> Floats:
        if np.shape(values) != self.shape:
            raise ValueError(
                f"linearize: {name} must hold the nodal values on X~ at all times, "
                f"shape {self.shape}, got {np.shape(values)}"
            )
        if np.iscomplexobj(values):
            raise TypeError(f"linearize: {name} must be real, got {np.asarray(values).dtype}")
        return np.ascontiguousarray(values, dtype=np.float64)

    def _checked_rate(self, rate: Floats | None) -> Floats | None:
        if (rate is None) != (self._t is None):
            raise ValueError(
                "linearize: a steady problem has no rate of change; pass u alone"
                if self._t is None
                else "linearize: a space-time problem needs rate=du/dt as well, of the shape of u"
            )
        return None if rate is None else self._checked("rate", rate)


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
