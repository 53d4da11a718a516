"""The regions of data: points of their own, where the model itself is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from dtpinn.checks import as_floats, check_finite
from dtpinn.nodes import Nodes
from dtpinn.operators import Operator
from dtpinn.pde import Derivatives
from dtpinn.pde.field_names import field_number
from dtpinn.problem.complex_values import in_real_fields
from dtpinn.problem.data import Data
from dtpinn.problem.integrand import call_integrand, takes_no_derivatives
from dtpinn.problem.regions import Region
from dtpinn.problem.smooth import Smooth
from dtpinn.problem.time_slices import TimeSlices

WITHIN = 2.0
"""How far from its nearest node a datum may lie, in spacings."""


class DataRegion(Region):
    """The points of some data, at their own times.

    Attributes
    ----------
    emphasis : Tensor, (m,)
        The weight of each point beside the others.
    noise : float or None
        Standard deviation at a point of weight 1; None where nothing is known of it.
    weighed_by_noise : bool
        Whether the data's weight is :func:`dtpinn.fit`'s to choose.
    prior : bool
        Whether it is what is known without data, :class:`~dtpinn.problem.smooth.Smooth`.
    values : Tensor, (m,) or (m, columns)
    """

    values: Tensor
    emphasis: Tensor
    prior: bool = False

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
        weight, self.noise = _emphasis(data, len(points))
        self.weighed_by_noise = data.weight is None and self.noise != 0.0
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
    def as_noise(self) -> Tensor:
        """Misfits that are nothing but the noise that is known, of the shape of the values."""
        assert self.noise is not None
        by_point = self.noise * self.emphasis.rsqrt()
        return by_point.reshape(-1, *(1,) * (self.values.dim() - 1)).expand_as(self.values)

    @property
    def differentiates(self) -> bool:
        """Whether it asks for derivatives of the unknown; the dry run has found out."""
        return self.asks_space or self.time_order > 0


def data_regions(
    data: Sequence[Data | Smooth],
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
    if isinstance(data, (Data, Smooth)):
        raise TypeError("data: expected a sequence, such as data=[dtpinn.Data(points, values)]")
    regions = []
    for one in data:
        if not isinstance(one, (Data, Smooth)):
            raise TypeError(
                f"data: expected dtpinn.Data or dtpinn.Smooth, got {type(one).__name__}"
            )
        start = None if slices.steady else slices.first
        told = one.at(nodes, start) if isinstance(one, Smooth) else one
        for real in in_real_fields([told], fields, "values"):
            regions.append(DataRegion(real, nodes, fields, slices, dtype))
            regions[-1].prior = isinstance(one, Smooth)
    if regions and all(region.prior for region in regions):
        raise ValueError("data: dtpinn.Smooth goes with data, whose noise gives it its weight")
    return regions


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


def _emphasis(data: Data, count: int) -> tuple[np.ndarray, float | None]:
    """Weights of the points, and the noise where the weight is 1."""
    if data.noise is None:
        weight = _of_points(1.0 if data.weight is None else data.weight, "weight", count)
        if not ((weight >= 0.0).all() and weight.any()):
            raise ValueError("dtpinn.Data: weights must be numbers of at least 0, and not all 0")
        return weight, None
    if data.weight is not None:
        raise ValueError("dtpinn.Data: give the noise or a weight; the noise determines the weight")
    noise = _of_points(data.noise, "noise", count)
    if not ((noise > 0.0).all() or not noise.any()):
        raise ValueError(
            "dtpinn.Data: noise must be standard deviations above 0, or 0 for values that are "
            f"exact, all of them; got {noise.min():g} to {noise.max():g}"
        )
    if not noise.any():
        return np.ones(count), 0.0
    precision = (noise.min() / noise) ** 2  # beside the best one: squares do not overflow
    return precision / precision.mean(), float(noise.min() / precision.mean() ** 0.5)


def _of_points(value: object, name: str, count: int) -> np.ndarray:
    numbers = _numbers(value, name)
    if numbers.shape not in ((), (count,)):
        raise ValueError(
            f"dtpinn.Data: {name} must be a number or {count}, one for each point, got shape "
            f"{numbers.shape}"
        )
    check_finite(numbers.reshape(-1, 1), f"dtpinn.Data: {name}")
    return np.broadcast_to(numbers, (count,))


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
