"""The unknown on X~ during one evaluation, and the RBF-FD ``D`` that reads from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dtpinn.pde import Derivatives, Operator
from dtpinn.pde.derivatives import Argument, check_argument
from dtpinn.pde.row_gradients import row_gradients
from dtpinn.problem.matrices import key_of
from dtpinn.problem.problem import Model
from dtpinn.problem.regions import Region

if TYPE_CHECKING:
    from dtpinn.problem.discrete_problem import DiscreteProblem


class Field:
    """A model's values on X~ during one evaluation, and what is computed from them once."""

    def __init__(self, problem: DiscreteProblem, model: Model) -> None:
        self.problem = problem
        # By identity; the function is kept beside its values so that its id stays its own.
        self._functions: dict[int, tuple[Callable[..., Tensor], Tensor]] = {}
        self.x = problem.extended_points
        self.t = problem.extended_time
        if self.t is None:
            self.times = 1
            self.values = problem.evaluate(model, self.x)
        else:
            self.times = 0 if problem.times is None else len(problem.times)
            self.t = self.t.detach().requires_grad_()
            with torch.enable_grad():  # for D.time, whatever the caller does with the result
                points = torch.cat([self.x, self.t[:, None]], dim=1)
                self.values = problem.evaluate(model, points)

    @cached_property
    def products(self) -> Tensor:
        """Every requested operator applied to the unknown, (rows, times * fields)."""
        if self.problem.stacked is None:
            raise RuntimeError("no operator acts on the unknown")
        products: Tensor = self.problem.stacked(self.columns(self.values))
        return products

    @cached_property
    def time_derivative(self) -> Tensor:
        """du/dt on X~."""
        return self.along_time(self.values)

    def columns(self, values: Tensor) -> Tensor:
        """(nodes * times[, fields]) -> (nodes[, times * fields]): one row per node."""
        flat = values.dim() == 1 and self.times == 1
        return values if flat else values.reshape(len(values) // self.times, -1)

    def flat(self, columns: Tensor) -> Tensor:
        """(nodes[, times * fields]) -> (nodes * times[, fields]), the inverse of `columns`."""
        if self.values.dim() == 1:
            return columns.reshape(-1)
        return columns.reshape(len(columns) * self.times, -1)

    def along_time(self, values: Tensor) -> Tensor:
        """Return d values / dt on X~, by one backward pass per field."""
        t = self.t
        assert t is not None  # the dry run has refused D.time in steady problems
        with torch.enable_grad():  # a column taken without it would not depend on t
            columns = [values] if values.dim() == 1 else list(values.unbind(1))
            parts = [row_gradients(column, t) for column in columns]
        return parts[0] if values.dim() == 1 else torch.stack(parts, dim=1)

    def on(self, region: Region, values: Tensor) -> Tensor:
        """Rows of values (on X~) that belong to a region."""
        if (rows := region.contiguous) is not None:  # a view
            return values[rows.start * self.times : rows.stop * self.times]
        blocks = values.reshape(len(values) // self.times, self.times, *values.shape[1:])
        return blocks[region.row_index].flatten(0, 1)

    def function(self, of: Callable[..., Tensor]) -> Tensor:
        """A function of the unknown on X~, evaluated once however often it is differentiated."""
        if id(of) not in self._functions:
            at = (self.x,) if self.t is None else (self.x, self.t)
            with torch.enable_grad() if self.t is not None else nullcontext():
                self._functions[id(of)] = of, of(self.values, *at)
        return self._functions[id(of)][1]

    def initial(self) -> Tensor:
        """The unknown on X at the first time."""
        count = self.problem.nodes.count
        return self.values[: count * self.times : self.times]


class StencilDerivatives(Derivatives):
    """``D`` by RBF-FD on one region."""

    def __init__(self, field: Field, region: Region) -> None:
        self.dimension = region.points.shape[1]
        self.u = field.on(region, field.values)
        self._field, self._region = field, region

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return rows of the common product, or a product of its own for a function of u."""
        check_argument(of, self.u, operator.name)
        field, problem = self._field, self._field.problem
        if isinstance(of, Tensor):
            return field.flat(field.products[problem.slice_of(self._region.name, operator)])
        matrix = problem.single[key_of(self._region.name, operator)]
        values = field.function(of)
        product: Tensor = matrix(field.columns(values))
        return product.reshape(-1, *values.shape[1:])

    def time(self, of: Argument) -> Tensor:
        """Return the derivative in time, by automatic differentiation."""
        check_argument(of, self.u, "time")
        field = self._field
        if isinstance(of, Tensor):
            return field.on(self._region, field.time_derivative)
        return field.on(self._region, field.along_time(field.function(of)))
