"""Constraints: one equation over many nodes, such as a mean value; as the user writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from dtpinn.pde import Derivatives
from dtpinn.pde.field_names import field_number
from dtpinn.problem.complex_values import in_real_fields
from dtpinn.problem.constraint_place import Place, Value
from dtpinn.problem.flux import Flux
from dtpinn.problem.integrand import Integrand
from dtpinn.problem.regions import Region
from dtpinn.rbffd import interpolation


@dataclass(frozen=True)
class Integral:
    """The integral of a function of the unknown has a given value.

    Parameters
    ----------
    value : float or callable
        In space-time it holds at every slice, and may be a function of the time, t (n,) -> (n,).
    of : callable, optional
        ``of(u, x)`` or ``of(u, D, x)``, in space-time with t last; on a part with the normals,
        ``of(u, D, x, n)``. Values (n,), by default those of the field.
    part : str, optional
        Of the boundary, to integrate along; by default over the domain.
    field : int or str
        Which field, by number or name, if `of` is not given.
    name : str, optional
        Of the residual; "integral" by default.

    Examples
    --------
    A density of unit mass:

    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> pde = dtpinn.Poisson(None, dtpinn.Neumann())
    >>> problem = dtpinn.discretize(pde, nodes, constraints=[dtpinn.Integral(1.0)])
    >>> u = problem.solve()
    >>> bool((u * torch.pi - 1.0).abs().max() < 1e-6)
    True
    """

    value: Value
    of: Integrand | None = None
    part: str | None = None
    field: int | str = 0
    name: str | None = None

    @property
    def label(self) -> str:
        """Name of the residual."""
        return self.name or ("integral" if self.part is None else f"integral.{self.part}")

    def region(self, place: Place) -> Region:
        """Return where it holds, with the weights of the sum that it is."""
        of = self.of or _FieldValue(int(self.field))
        weights = place.weights(self.part)
        return place.region(self.label, of, self.value, self.part, weights)


@dataclass(frozen=True)
class Mean:
    """The mean of a field over the domain has a given value.

    What pure Neumann conditions leave open of a temperature, and velocities of a pressure.

    Parameters
    ----------
    value : float or callable
        In space-time it holds at every slice, and may be a function of the time.
    field : int or str
        By number or name.
    name : str, optional
        Of the residual; "mean" by default.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> exact = lambda x: x[:, 0] ** 3
    >>> manufactured = dtpinn.Poisson.from_solution(exact, alpha=1.0, beta=0.0)
    >>> problem = dtpinn.discretize(manufactured, nodes, constraints=[dtpinn.Mean(0.0)])
    >>> error = problem.solve() - exact(problem.points)
    >>> bool(error.abs().max() < 1e-4)
    True
    """

    value: Value = 0.0
    field: int | str = 0
    name: str | None = None

    @property
    def label(self) -> str:
        """Name of the residual."""
        return self.name or "mean"

    def region(self, place: Place) -> Region:
        """Return all of X, with weights that add up to 1."""
        weights = place.weights(None)
        return place.region(
            self.label, _FieldValue(int(self.field)), self.value, None, weights / weights.sum()
        )


@dataclass(frozen=True)
class Pin:
    """A field has a given value at a point.

    Parameters
    ----------
    point : (d,) array
        In the domain; it need not be a node.
    value : float or callable
        In space-time it holds at every slice, and may be a function of the time.
    field : int or str
        By number or name.
    name : str, optional
        Of the residual; "pin" by default.
    """

    point: ArrayLike
    value: Value = 0.0
    field: int | str = 0
    name: str | None = None

    @property
    def label(self) -> str:
        """Name of the residual."""
        return self.name or "pin"

    def region(self, place: Place) -> Region:
        """Return the nodes of the point's stencil, with the weights of interpolation."""
        point = np.asarray(self.point, dtype=np.float64)
        d = place.nodes.dimension
        if point.shape != (d,):
            raise ValueError(
                f"dtpinn.Pin: the point must have {d} coordinate(s), got {self.point!r}"
            )
        row = interpolation(place.nodes, point[None], place.order + 1, on="collocation").to_scipy()
        used = np.flatnonzero(row.data)
        rows, weights = row.indices[used], row.data[used]
        of = _FieldValue(int(self.field))
        return place.region(self.label, of, self.value, None, weights, rows=rows)


Constraint = Integral | Mean | Flux | Pin


def constraint_regions(constraints: Sequence[Constraint], place: Place) -> list[Region]:
    """Return a region for each constraint.

    Raises
    ------
    TypeError, ValueError
        If one is no constraint, or asks for a field, a part or a point that there is not.
    """
    if isinstance(constraints, Constraint):
        raise TypeError("constraints: expected a sequence, such as constraints=[dtpinn.Mean(0.0)]")
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise TypeError(
                "constraints: expected dtpinn.Mean, Pin, Flux or Integral, got "
                f"{type(constraint).__name__}"
            )
    real = in_real_fields(constraints, place.fields, "value")
    return [_numbered(constraint, place.fields).region(place) for constraint in real]


def _numbered(constraint: Constraint, names: Sequence[str]) -> Constraint:
    """The same constraint with its field as a number."""
    try:
        return replace(constraint, field=field_number(constraint.field, names))
    except ValueError as error:
        raise ValueError(f"dtpinn.{type(constraint).__name__}: {error}") from None


class _FieldValue:
    """The values of one field."""

    def __init__(self, field: int) -> None:
        self.field = field

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, *rest: Tensor) -> Tensor:
        return u if u.dim() == 1 else u[:, self.field]
