"""Data: values known at points of their own, such as measurements, as the user writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dtpinn.checks import as_floats, check_finite
from dtpinn.nodes import Nodes
from dtpinn.operators import Operator
from dtpinn.pde import Derivatives
from dtpinn.pde.field_names import field_number
from dtpinn.problem.complex_values import in_real_fields
from dtpinn.problem.integrand import call_integrand, takes_no_derivatives
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import TimeSlices

WITHIN = 2.0
"""How far from its nearest node a datum may lie, in spacings."""


@dataclass(frozen=True, eq=False)
class Data:
    """Values of the unknown, or of something that is made of it, at any points.

    A residual of the loss, by name "data": at its points the model itself is evaluated, and
    differentiated automatically where `of` asks for derivatives; neither a node nor a slice need be
    there. A direct solve does without: data are no equations, but tell of unknown coefficients.

    Parameters
    ----------
    points : (m, d), in space-time (m, d + 1) with the time last
        In the domain.
    values : (m,), or as many columns as `of` has
    weight : float or (m,) array
        Multiple of the balanced weight; of each point, where their errors differ: 1 / sigma^2 up to
        a factor. The balanced weight takes data for exact: noisy ones want a smaller one, or the
        equation bends to their noise (a hundredth to a thousandth where the noise is a percent).
    field : int or str
        Which field the values are of, if `of` is not given.
    of : callable or operator, optional
        ``of(u, x)`` or ``of(u, D, x)``, in space-time with t last, or one of
        :mod:`dtpinn.operators`, applied to the field.
    name : str, optional
        Of the residual; "data" by default, and "data.1", ... for others.

    Examples
    --------
    A constant source, from the largest deflection of a membrane, whose middle is -s / 4:

    >>> import dtpinn
    >>> class Membrane(dtpinn.PDE):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.s = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) - self.s
    ...     def boundary(self, u, D, x, n):
    ...         return u
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> seen = dtpinn.Data([[0.0, 0.0]], [-0.5])
    >>> problem = dtpinn.discretize(Membrane(), nodes, data=[seen])
    >>> model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    >>> result = dtpinn.fit(model, problem, epochs=40, optimizer="gauss-newton")
    >>> round(result.coefficients["s"], 2)
    2.0
    """

    points: ArrayLike | Tensor
    values: ArrayLike | Tensor
    weight: float | ArrayLike | Tensor = 1.0
    field: int | str = 0
    of: Callable[..., Tensor] | Operator | None = None
    name: str | None = None

    @property
    def label(self) -> str:
        """Name of the residual."""
        return self.name or "data"


class DataRegion(Region):
    """The points of some data, at their own times.

    Attributes
    ----------
    emphasis : Tensor, (m,)
        The weight of each point beside the others.
    values : Tensor, (m,) or (m, columns)
    """

    values: Tensor
    emphasis: Tensor

    def __init__(
        self,
        data: Data,
        nodes: Nodes,
        fields: Sequence[str],
        slices: TimeSlices,
        dtype: torch.dtype,
    ) -> None:
        dimension, steady = nodes.dimension, slices.steady
        points, values = _checked(data, dimension + (not steady))
        points[:, :dimension] = nodes.cell.wrap(points[:, :dimension])
        _check_within(points, nodes, slices)
        weight = np.broadcast_to(_numbers(data.weight, "weight"), (len(points),))
        if not (np.isfinite(weight).all() and (weight >= 0.0).all() and weight.any()):
            raise ValueError("dtpinn.Data: weights must be numbers of at least 0, and not all 0")
        try:
            data = replace(data, field=field_number(data.field, fields))
        except ValueError as error:
            raise ValueError(f"dtpinn.Data: {error}") from None
        function = _Found(data, steady)
        rows = np.arange(len(points))
        super().__init__(
            data.label, function, points[:, :dimension], rows, len(points), TimeSlices(), dtype
        )
        self.register_buffer("values", torch.tensor(values, dtype=dtype))
        self.register_buffer("emphasis", torch.tensor(weight.copy(), dtype=dtype))
        if not steady:
            self.time = torch.tensor(points[:, dimension], dtype=dtype)

    def pointwise(self, u: Tensor, D: Derivatives | None) -> Tensor:
        """Return what the model makes of the points, less the values.

        Raises
        ------
        ValueError
            If the values are of another shape.
        """
        found = super().pointwise(u, D)
        if found.shape != self.values.shape:
            raise ValueError(
                f"dtpinn.Data: of() returned {tuple(found.shape)}, and the values have the shape "
                f"{tuple(self.values.shape)}"
            )
        return found - self.values

    @property
    def differentiates(self) -> bool:
        """Whether it asks for derivatives of the unknown; the dry run has found out."""
        return self.asks_space or self.time_order > 0


def data_regions(
    data: Sequence[Data],
    nodes: Nodes,
    fields: Sequence[str],
    slices: TimeSlices,
    dtype: torch.dtype,
) -> list[DataRegion]:
    """Return a region for each set of data.

    Raises
    ------
    TypeError, ValueError
        If one is none, or its points, values or weights do not fit the problem.
    """
    if isinstance(data, Data):
        raise TypeError("data: expected a sequence, such as data=[dtpinn.Data(points, values)]")
    for one in data:
        if not isinstance(one, Data):
            raise TypeError(f"data: expected dtpinn.Data, got {type(one).__name__}")
    real = in_real_fields(data, fields, "values")
    return [DataRegion(one, nodes, fields, slices, dtype) for one in real]


class _Found:
    """What the model makes of the points.

    Attributes
    ----------
    func : callable
        What the values are of, for messages.
    """

    def __init__(self, data: Data, steady: bool) -> None:
        self._field, self._of = cast(int, data.field), data.of  # a number by now
        self._short = False
        if data.of is not None and not isinstance(data.of, Operator):
            self._short = takes_no_derivatives(data.of, steady)
        self.func = self if data.of is None else data.of

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        if self._of is not None and not isinstance(self._of, Operator):
            return call_integrand(self._of, self._short, u, D, x, *t)
        found = u if self._of is None else D.apply(self._of, u)
        return found if found.dim() == 1 else found[:, self._field]


def _checked(data: Data, coordinates: int) -> tuple[np.ndarray, np.ndarray]:
    points, values = (_numbers(getattr(data, name), name) for name in ("points", "values"))
    if points.ndim != 2 or points.shape[1] != coordinates or not len(points):
        raise ValueError(
            f"dtpinn.Data: points must have shape (m, {coordinates}), the time last if there is "
            f"one, got {points.shape}"
        )
    if values.shape[:1] != points.shape[:1] or values.ndim not in (1, 2):
        raise ValueError(
            f"dtpinn.Data: expected a value for each of {len(points)} points, got {values.shape}"
        )
    check_finite(points, "dtpinn.Data: points")
    check_finite(values.reshape(len(values), -1), "dtpinn.Data: values")
    return np.array(points, dtype=np.float64), values


def _check_within(points: np.ndarray, nodes: Nodes, slices: TimeSlices) -> None:
    """Refuse points at which no equation holds: nothing ties a model there to coefficients."""
    x, d = nodes.collocation, nodes.dimension
    distance, near = nodes.cell.tree(x).query(points[:, :d])
    if (beyond := distance > WITHIN * nodes.local_spacing[near]).any():
        raise ValueError(
            f"dtpinn.Data: {int(beyond.sum())} points lie outside the domain, the first at "
            f"{points[beyond][0, :d].tolist()}; of Subdomains, body.apart(points) are where the "
            "pieces lie"
        )
    if not slices.steady:
        t, (first, last) = points[:, d], (slices.first, slices.last)
        if (beyond := (t < first) | (t > last)).any():
            raise ValueError(
                f"dtpinn.Data: times must lie between {first:g} and {last:g}, those of the "
                f"problem; got {t[beyond][0]:g}"
            )


def _numbers(value: object, name: str) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    return as_floats(value, f"dtpinn.Data: {name}")
