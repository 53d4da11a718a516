"""The unknown on X~ during one evaluation, and the RBF-FD ``D`` that reads from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial

import torch
from torch import Tensor

from dtpinn.pde import Derivatives, Operator
from dtpinn.pde.arguments import Argument, check_argument
from dtpinn.pde.row_gradients import rates
from dtpinn.problem.products import Products
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import TimeSlices, with_time


class Field:
    """A model's values on X~ during one evaluation, and what is computed from them once.

    Parameters
    ----------
    products : Products
    slices : TimeSlices
    x : (n * times, d) Tensor
        X~, at all times.
    t : (n * times,) Tensor or None
    unknown : callable
        The model, its result checked: ``unknown(points)``.
    with_rate : callable, optional
        Values and their derivative in time together, ``with_rate(points)``, or None where the model
        has no such way. For where nothing else is differentiated in time.
    """

    def __init__(
        self,
        products: Products,
        slices: TimeSlices,
        x: Tensor,
        t: Tensor | None,
        unknown: Callable[[Tensor], Tensor],
        with_rate: Callable[[Tensor], tuple[Tensor, Tensor] | None] | None = None,
    ) -> None:
        self.matrices, self.slices, self.x = products, slices, x
        # By identity; the function is kept beside its values so that its id stays its own.
        self._functions: dict[int, tuple[Callable[..., Tensor], Tensor]] = {}
        self._in_time: dict[int, list[Tensor]] = {}  # by order
        self._rate: Tensor | None = None
        self.t = None if t is None else t.detach().requires_grad_()
        both = None if with_rate is None else with_rate(with_time(x, t))
        if both is not None:
            self.values, self._rate = both
            self._without = partial(Field, products, slices, x, t, unknown)
            return
        with self._graph_in_time():  # for D.time, whatever the caller does with the result
            self.values = unknown(with_time(x, self.t))

    @cached_property
    def _differentiated(self) -> Field:
        """The same without the rate that came with the values, for a residual that takes others.

        The dry run has not seen any; a residual that branches may show them later.
        """
        return self._without()

    @cached_property
    def products(self) -> Tensor:
        """Every requested operator applied to the unknown, (rows, times * fields)."""
        if self.matrices.stacked is None:
            raise RuntimeError("no operator acts on the unknown")
        products: Tensor = self.matrices.stacked(self.slices.columns(self.values))
        return products

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time on X~ of the unknown or a function of it, taken once.

        By one backward pass per field from that of the order below, unless it came with the values.
        """
        if self._rate is not None:
            if isinstance(of, Tensor) and order == 1:
                return self._rate
            return self._differentiated.rate(of, order)
        key = 0 if isinstance(of, Tensor) else id(of)
        known = self._in_time.setdefault(key, [self.values if key == 0 else self.function(of)])
        t = self.t
        assert t is not None  # the dry run has refused D.time in steady problems
        while len(known) <= order:
            with torch.enable_grad():  # a column taken without it would not depend on t
                known.append(rates(known[-1], t))
        return known[order]

    def on(self, region: Region, values: Tensor) -> Tensor:
        """Rows of values (on X~) that belong to a region."""
        return self.slices.rows(values, region.which)

    def function(self, of: Argument) -> Tensor:
        """A function of the unknown on X~, evaluated once however often it is differentiated."""
        assert not isinstance(of, Tensor)
        if id(of) not in self._functions:
            at = (self.x,) if self.t is None else (self.x, self.t)
            with self._graph_in_time():
                self._functions[id(of)] = of, of(self.values, *at)
        return self._functions[id(of)][1]

    def _graph_in_time(self) -> AbstractContextManager[None]:
        return nullcontext() if self.t is None else torch.enable_grad()


class FieldAtStart:
    """A field at the first of the times, where the initial condition holds.

    Parameters
    ----------
    field : Field
    products : Products
        The initial condition's own.
    """

    def __init__(self, field: Field, products: Products) -> None:
        self._field, self.matrices, self.slices = field, products, TimeSlices()
        self.values = field.slices.initial(field.values)

    @cached_property
    def products(self) -> Tensor:
        """Every requested operator applied to the unknown, (rows, fields)."""
        assert self.matrices.stacked is not None
        products: Tensor = self.matrices.stacked(self.values)
        return products

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time on X~ of the unknown or a function of it."""
        return self._field.slices.initial(self._field.rate(of, order))

    def function(self, of: Argument) -> Tensor:
        """A function of the unknown on X~."""
        return self._field.slices.initial(self._field.function(of))

    def on(self, region: Region, values: Tensor) -> Tensor:
        """Rows of values (on X~) that belong to a region."""
        return self.slices.rows(values, region.which)


class StencilDerivatives(Derivatives):
    """``D`` by RBF-FD on one region."""

    def __init__(self, field: Field | FieldAtStart, region: Region) -> None:
        self.dimension = region.points.shape[1]
        self.u = field.on(region, field.values)
        self.state = (self.u, *region.at)
        self._field, self._region = field, region

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return rows of the common product, or a product of its own for a function of u."""
        check_argument(of, self.u, operator.name)
        field, slices, name = self._field, self._field.slices, self._region.name
        if isinstance(of, Tensor):
            rows = field.products[field.matrices.slice_of(name, operator)]
            return slices.flat(rows, field.values.shape)
        values = field.function(of)
        product: Tensor = field.matrices.of_function(name, operator)(slices.columns(values))
        return slices.flat(product, values.shape)

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time, by automatic differentiation."""
        check_argument(of, self.u, "time")
        return self._field.on(self._region, self._field.rate(of, order))
