"""Regions: where each residual of an equation holds, as tensors made once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry import Sides
from dtpinn.nodes import Nodes
from dtpinn.pde import PDE, Derivatives
from dtpinn.pde.equation import Condition
from dtpinn.pde.on_parts import WHOLE, conditions_on_parts
from dtpinn.problem.part_names import parts_by_name
from dtpinn.problem.time_slices import TimeSlices

INITIAL = "initial"
"""The name of the initial condition's region."""


class Region(nn.Module):
    """The points of one residual: some rows of X, repeated for every time.

    Attributes
    ----------
    name : str
        Of the residual: "pde", "boundary", or "boundary.part"; where a part has several conditions
        "boundary.part.field", or what kind of condition it is, or their numbers.
    function : callable
        The residual itself: ``function(u, D, *data)``.
    rows : (m,) int array
        Which rows of X = interior | boundary. On the boundary one for each side: a node at a corner
        comes as often as pieces of the boundary meet in it.
    sides : (m,) int array, or None inside the domain
        Which of the sides of the boundary.
    outward : (m, d) array, or None inside the domain
        The normal of each side, in float64.
    share : int
        What the sum of squares is divided by in the loss. Parts of the boundary share one
        denominator, so that each side of a boundary point weighs the same, whatever its part.
    points : Tensor, (m * times, d)
        Node-major: all times of the first node, then of the second.
    normals : Tensor, (m * times, d), or None inside the domain
    time : Tensor, (m * times,), or None for a steady problem
    weights : (m,) array, or None
        Of a constraint, in float64: its residual is the weighted sum over the region, one for each
        time.
    fields, equations : int
        Of the unknown, and of the residual at a point.
    sized_as : Region or None
        The same constraint written in another way, by which its size is to be expected: terms that
        cancel here do not there.
    beyond : Region or None
        The same points a period further: the residual is then what the function changes from there
        to here.
    asks_space : bool
        Whether the residual takes derivatives in space.
    highest : int
        Order of the highest derivative in space that it asks for.
    time_order : int
        The highest derivative in time that it takes: 0, 1 or 2.
    rates_of_functions : bool
        Whether it takes derivatives in time of functions of the unknown. This, the three before,
        `fields` and `equations` the dry run finds out.
    """

    fields: int = 1
    equations: int = 1
    asks_space: bool = False
    highest: int = 0
    time_order: int = 0
    rates_of_functions: bool = False

    points: Tensor
    normals: Tensor | None
    time: Tensor | None
    summing: Tensor | None
    row_index: Tensor

    def __init__(
        self,
        name: str,
        function: Callable[..., Tensor],
        x: Floats,
        rows: NDArray[np.integer],
        share: int,
        slices: TimeSlices,
        dtype: torch.dtype,
        sides: Integers | None = None,
        outward: Floats | None = None,
        weights: Floats | None = None,
    ) -> None:
        super().__init__()
        self.name, self.function, self.sides, self.outward = name, function, sides, outward
        self.weights = weights
        self.beyond: Region | None = None
        self.sized_as: Region | None = None
        self.rows = np.asarray(rows, dtype=np.int64)
        self.share = share * slices.count
        points = torch.tensor(x[self.rows], dtype=dtype)
        self.register_buffer("points", slices.repeat(points))
        normals = None if outward is None else torch.tensor(outward, dtype=dtype)
        self.register_buffer("normals", None if normals is None else slices.repeat(normals))
        self.register_buffer("time", slices.spread(points))
        summed = None if weights is None else torch.tensor(weights, dtype=dtype)
        self.register_buffer("summing", summed)
        self.register_buffer("row_index", torch.from_numpy(self.rows), persistent=False)

    @property
    def on_boundary(self) -> bool:
        """Whether it is a condition on the boundary."""
        return self.outward is not None

    @property
    def measure(self) -> float:
        """Of a constraint the sum of its weights, without their signs; 1 of any other residual."""
        weights = (self.sized_as or self).weights
        return 1.0 if weights is None else float(np.abs(weights).sum())

    def pointwise(self, u: Tensor, D: Derivatives | None) -> Tensor:
        """Return the residual at its points, of a constraint what is summed up."""
        return self.function(u, D, *self.data)

    def residual(self, u: Tensor, D: Derivatives | None) -> Tensor:
        """Return the residual at its points, or the constraint's at every time, (times,)."""
        r = self.pointwise(u, D)
        return r if self.summing is None else self.summing @ r.reshape(len(self.summing), -1)

    @property
    def which(self) -> slice | Tensor:
        """The rows as they are best taken: a slice, if they follow each other, needs no gather."""
        return self.row_index if self._contiguous is None else self._contiguous

    @cached_property
    def _contiguous(self) -> slice | None:
        first = int(self.rows[0])
        if np.array_equal(self.rows, np.arange(first, first + len(self.rows))):
            return slice(first, first + len(self.rows))
        return None

    @property
    def at(self) -> tuple[Tensor, ...]:
        """What a function of the unknown receives after u: x, and t if any."""
        return (self.points,) if self.time is None else (self.points, self.time)

    @property
    def data(self) -> tuple[Tensor, ...]:
        """What a residual receives after u and D: x, the normals on the boundary, t if any."""
        parts = (self.points, self.normals, self.time)
        return tuple(part for part in parts if part is not None)


def pde_region(
    pde: PDE,
    nodes: Nodes,
    rows: NDArray[np.integer],
    slices: TimeSlices,
    dtype: torch.dtype,
    name: str = "pde",
) -> Region:
    """Return the region of the equation, on some rows of X."""
    return Region(name, pde.residual, nodes.collocation, rows, len(rows), slices, dtype)


def boundary_regions(
    pde: PDE,
    nodes: Nodes,
    sides: Sides,
    slices: TimeSlices,
    dtype: torch.dtype,
    kept: Mapping[str, NDArray[np.bool_]] | None = None,
) -> list[Region]:
    """Return a region for each condition on the boundary.

    Parameters
    ----------
    pde, nodes, slices, dtype
    sides : Sides
        Of the boundary, on which conditions hold.
    kept : mapping of name to (sides,) bool array, optional
        On which of these each region holds indeed; on all of its parts by default.

    Raises
    ------
    ValueError
        If the conditions do not cover the named parts of the boundary, or name others; or if some
        were given where there is no boundary.

    Warns
    -----
    UserWarning
        If a condition is given for a part in which no node lies.
    """
    if not len(sides):  # periodic in all directions
        _refuse_conditions(pde)
        return []
    conditions = conditions_on_parts(pde)
    parts = _parts_of(pde, conditions, nodes, sides)
    holds: dict[str, tuple[Condition, NDArray[np.bool_]]] = {}
    for given, several in conditions.items():
        on_part = np.isin(sides.part, [nodes.parts.index(part) for part in parts[given]])
        base = "boundary" if set(conditions) == {WHOLE} else f"boundary.{given}"
        for name, condition in zip(_names(base, pde, several), several, strict=True):
            holds[name] = condition, on_part if kept is None else on_part & kept[name]
    share = int(np.any([on for _, on in holds.values()], axis=0).sum())
    return [
        Region(
            name, function, nodes.collocation, nodes.interior_count + sides.point[which],
            share, slices, dtype, which, sides.normals[which],
        )
        for name, (function, on) in holds.items()
        if len(which := np.flatnonzero(on))
    ]  # fmt: skip


def initial_region(pde: PDE, nodes: Nodes, slices: TimeSlices, dtype: torch.dtype) -> Region:
    """Return the region of the initial condition: all of X, at the first of the times."""
    rows = np.arange(nodes.count)
    condition = InitialCondition(pde.initial)
    start = slices.beginning()
    return Region(INITIAL, condition, nodes.collocation, rows, len(rows), start, dtype)


def name_apart(regions: Sequence[Region]) -> None:
    """Give every region a name of its own: of several "pin" the second is "pin.1"."""
    used: set[str] = set()
    for region in regions:
        own, count = region.name, 0
        while region.name in used:
            count += 1
            region.name = f"{own}.{count}"
        used.add(region.name)


class InitialCondition:
    """``initial(u, D, x)`` as any other residual is called: it has no use for the one time.

    Attributes
    ----------
    func : callable
        The condition itself, for messages.
    """

    def __init__(self, func: Callable[[Tensor, Derivatives, Tensor], Tensor]) -> None:
        self.func = func

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, t: Tensor) -> Tensor:
        """Return the residual at points (n, d)."""
        return self.func(u, D, x)


def _refuse_conditions(pde: PDE) -> None:
    if pde.has_conditions:
        raise ValueError(
            f"{type(pde).__name__}: a condition for the boundary was given, and the nodes have no "
            "boundary, being periodic in all directions: it would hold nowhere. Leave it out, or "
            "make nodes of a domain that has a boundary there, such as "
            "Rectangle(periodic=(True, False))"
        )


def _names(base: str, pde: PDE, several: Sequence[Condition]) -> list[str]:
    """Of the residuals on one part: by their fields or their kind, if that tells them apart."""
    if len(several) == 1:
        return [base]
    told = []
    for condition in several:
        of = getattr(condition, "field", None)
        numbers = (of,) if isinstance(of, int) else of or ()
        fields = ",".join(pde.field_names[number] for number in numbers)
        told.append(fields or type(condition).__name__.lower())
    if len(set(told)) < len(told):
        told = [str(number + 1) for number in range(len(several))]
    return [f"{base}.{of}" for of in told]


def _parts_of(pde: PDE, names: Collection[str], nodes: Nodes, sides: Sides) -> dict[str, list[str]]:
    """The parts that each name stands for; warn of those in which no node lies."""
    present = {nodes.parts[part] for part in np.unique(sides.part)}
    try:
        found = parts_by_name(names, nodes.parts, present)
    except ValueError as error:
        raise ValueError(f"{type(pde).__name__}: {error}") from None
    if lost := sorted(set(nodes.parts) & set(names) - present):
        warnings.warn(
            f"no boundary node lies in the part {', '.join(map(repr, lost))}: it is shorter than "
            "the spacing, and its condition will not be seen. Use a smaller spacing there "
            "(dtpinn.nodes.graded, or a function of the place)",
            stacklevel=2,
        )
    return found
