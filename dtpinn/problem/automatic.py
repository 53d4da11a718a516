"""The vanilla PINN: the same residuals with derivatives by automatic differentiation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE, Derivatives, Operator
from dtpinn.pde.autodiff import row_gradients
from dtpinn.pde.derivatives import Argument, check_argument
from dtpinn.pde.operators import MultiIndex
from dtpinn.problem.problem import Model, Problem, check_device
from dtpinn.problem.regions import Region


class _Quantity:
    """The unknown, or a function of it, on one region, with the derivatives taken so far.

    One backward pass yields all d first derivatives of a column, so the gradient costs one pass and
    not one per coordinate, and the Laplacian 1 + d.
    """

    def __init__(self, values: Tensor, x: Tensor) -> None:
        self.scalar = values.dim() == 1
        self.columns = [values] if self.scalar else list(values.unbind(1))
        self._x = x
        origin = (0,) * x.shape[1]
        self._known: list[dict[MultiIndex, Tensor]] = [{origin: c} for c in self.columns]

    def combine(self, terms: Sequence[tuple[MultiIndex, float | Tensor]]) -> Tensor:
        """Return the sum of c D^alpha over the terms: (n,) or (n, fields)."""
        by_field = []
        for known in self._known:
            parts = [c * self._derivative(alpha, known) for alpha, c in terms]
            by_field.append(parts[0] if len(parts) == 1 else torch.stack(parts).sum(0))
        return self._joined(by_field)

    def along(self, t: Tensor) -> Tensor:
        """Return the derivative in another input of the model, such as the time."""
        return self._joined([row_gradients(column, t) for column in self.columns])

    def _joined(self, by_field: list[Tensor]) -> Tensor:
        return by_field[0] if self.scalar else torch.stack(by_field, dim=1)

    def _derivative(self, alpha: MultiIndex, known: dict[MultiIndex, Tensor]) -> Tensor:
        if alpha not in known:
            axis = max(k for k, order in enumerate(alpha) if order)
            lower = _shifted(alpha, axis, -1)
            gradient = row_gradients(self._derivative(lower, known), self._x)
            for k in range(len(alpha)):
                known.setdefault(_shifted(lower, k, 1), gradient[:, k])
        return known[alpha]


class AutomaticDerivatives(Derivatives):
    """``D`` by nested backward passes through the model.

    Derivatives are kept for the time of one evaluation and shared: the normal derivative reuses
    the gradient that the Laplacian started from.
    """

    def __init__(self, region: Region, u: Tensor, x: Tensor, t: Tensor | None) -> None:
        self.dimension = x.shape[1]
        self._region, self._u, self._x, self._t = region, u, x, t
        # Keyed by identity; the argument is kept beside its derivatives so that its id stays its.
        self._seen: dict[int, tuple[Argument, _Quantity]] = {}

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return the operator applied to every field of the argument."""
        check_argument(of, self._u, operator.name)
        return self._quantity(of).combine(self._terms(operator))

    def time(self, of: Argument) -> Tensor:
        """Return the derivative in time of every field of the argument."""
        check_argument(of, self._u, "time")
        if self._t is None:
            raise ValueError("D.time: the problem is steady; pass times=... to make it space-time")
        return self._quantity(of).along(self._t)

    def _quantity(self, of: Argument) -> _Quantity:
        if id(of) not in self._seen:
            at = (self._x,) if self._t is None else (self._x, self._t)
            values = of if isinstance(of, Tensor) else of(self._u, *at)
            self._seen[id(of)] = of, _Quantity(values, self._x)
        return self._seen[id(of)][1]

    def _terms(self, operator: Operator) -> list[tuple[MultiIndex, float | Tensor]]:
        if not operator.along_normal:
            return list(operator.terms)
        normals = self._region.normals
        assert normals is not None  # the dry run has refused D.normal inside the domain
        origin = (0,) * self.dimension
        return [(_shifted(origin, k, 1), normals[:, k]) for k in range(self.dimension)]


def _shifted(alpha: MultiIndex, axis: int, by: int) -> MultiIndex:
    return tuple(order + by * (k == axis) for k, order in enumerate(alpha))


class AutomaticProblem(Problem):
    """The residuals of an equation with derivatives by automatic differentiation.

    Made by :func:`vanilla`.
    """

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        result = {region.name: self._residual(model, region) for region in self.regions}
        if self.times is not None:
            start = torch.full_like(self.initial_points[:, :1], float(self.times[0]))
            u = self.evaluate(model, torch.cat([self.initial_points, start], dim=1))
            result["initial"] = self.pde.initial(u, self.initial_points)
        return result

    def _residual(self, model: Model, region: Region) -> Tensor:
        with torch.enable_grad():  # the derivatives need it, whatever the caller does with them
            x = region.points.detach().requires_grad_()
            t = None if region.time is None else region.time.detach().requires_grad_()
            u = self.evaluate(model, x if t is None else torch.cat([x, t[:, None]], dim=1))
            D = AutomaticDerivatives(region, u, x, t)
            result: Tensor = region.function(u, D, *region.data)
        return result


def vanilla(
    pde: PDE,
    nodes: Nodes,
    *,
    times: Tensor | Sequence[float] | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
    collocation: Literal["interior", "all"] = "interior",
) -> AutomaticProblem:
    """Return the autograd PINN of an equation on the same nodes, to compare with.

    Parameters
    ----------
    pde : PDE
    nodes : Nodes
        Ghost nodes are not used.
    times : (n_times,), optional
        Makes it a space-time problem.
    dtype : torch.dtype
        float64; the paper's vanilla PINNs are float32.
    device : optional
    collocation : "interior" or "all"
        Where the equation is required: in the interior, equation (4), or on the boundary as well,
        as a DT-PINN does.

    Examples
    --------
    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2)
    >>> problem = dtpinn.vanilla(pde, nodes)
    >>> exact = problem.loss(lambda x: x[:, 0] ** 2)
    >>> bool(exact < 1e-25)
    True
    """
    if collocation not in ("interior", "all"):
        raise ValueError(f'collocation must be "interior" or "all", got {collocation!r}')
    check_device(device)
    inside = collocation == "interior"
    rows = np.arange(nodes.interior_count if inside else nodes.count)
    return AutomaticProblem(pde, nodes, times, dtype, rows).to(device=device)
