"""``D`` by automatic differentiation: the derivatives of a function that torch can differentiate.

A network in a vanilla PINN, or the chosen solution of a manufactured problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from dtpinn.operators import MultiIndex, Operator, Space, Terms
from dtpinn.pde.arguments import Argument, check_argument
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.row_gradients import row_gradients

Where = Callable[[Tensor], Tensor]


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
        self._in_time = [self.columns]  # by order

    def combine(self, terms: Terms) -> Tensor:
        """Return the sum of c D^alpha over the terms: (n,) or (n, fields)."""
        by_field = []
        for known in self._known:
            parts = [c * self._derivative(alpha, known) for alpha, c in terms.items()]
            by_field.append(parts[0] if len(parts) == 1 else torch.stack(parts).sum(0))
        return self._joined(by_field)

    def along(self, t: Tensor, order: int) -> Tensor:
        """Return a derivative in another input of the model, such as the time."""
        while len(self._in_time) <= order:
            self._in_time.append([row_gradients(column, t) for column in self._in_time[-1]])
        return self._joined(self._in_time[order])

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
    """``D`` by nested backward passes through whatever made u.

    Derivatives are kept for the time of one evaluation and shared: the normal derivative reuses
    the gradient that the Laplacian started from.

    Parameters
    ----------
    u : (n,) or (n, fields)
        Computed from `x`, and from `t` in space-time, which require a gradient.
    x : (n, d)
    normals : (n, d), optional
        On the boundary.
    t : (n,), optional
        In space-time.
    model : callable, optional
        u as a function of x, and of t in space-time, for what is asked at other places; without it
        the unknown is taken to be the same there.

    Examples
    --------
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> u = x[:, 0] ** 2 * x[:, 1]
    >>> AutomaticDerivatives(u, x).laplacian(u).detach()
    tensor([4., 8.])
    """

    def __init__(
        self,
        u: Tensor,
        x: Tensor,
        normals: Tensor | None = None,
        t: Tensor | None = None,
        model: Callable[..., Tensor] | None = None,
    ) -> None:
        self.dimension = x.shape[1]
        self._u, self._x, self._t = u, x, t
        self.state = (u, x) if t is None else (u, x, t)
        self._place = Space(self.dimension, normals)
        # Keyed by identity; the argument is kept beside its derivatives so that its id stays its.
        self._seen: dict[int, tuple[Argument, _Quantity]] = {}
        self._normals, self._model = normals, model
        self._elsewhere: dict[int, tuple[Where, AutomaticDerivatives]] = {}

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return the operator applied to every field of the argument."""
        check_argument(of, self._u, operator.name)
        if operator.where is not None and self._model is not None:
            there = self._there(operator.where)
            return there.apply(replace(operator, where=None), there._u if of is self._u else of)
        return self._quantity(of).combine(operator.terms_at(self._place))

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time of every field of the argument."""
        check_argument(of, self._u, "time")
        if self._t is None:
            raise ValueError("D.time: the problem is steady; pass times=... to make it space-time")
        return self._quantity(of).along(self._t, order)

    def _there(self, where: Where) -> AutomaticDerivatives:
        """The same of the model at other places."""
        if id(where) not in self._elsewhere:
            assert self._model is not None
            x = where(self._x.detach()).detach().requires_grad_()
            at = (x,) if self._t is None else (x, self._t)
            there = AutomaticDerivatives(self._model(*at), x, self._normals, self._t)
            self._elsewhere[id(where)] = where, there
        return self._elsewhere[id(where)][1]

    def _quantity(self, of: Argument) -> _Quantity:
        if id(of) not in self._seen:
            at = (self._x,) if self._t is None else (self._x, self._t)
            values = of if isinstance(of, Tensor) else of(self._u, *at)
            self._seen[id(of)] = of, _Quantity(values, self._x)
        return self._seen[id(of)][1]


def _shifted(alpha: MultiIndex, axis: int, by: int) -> MultiIndex:
    return tuple(order + by * (k == axis) for k, order in enumerate(alpha))
