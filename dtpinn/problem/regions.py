"""Regions: where each residual of an equation holds, as tensors made once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry import Sides
from dtpinn.nodes import Nodes
from dtpinn.pde import PDE, Derivatives
from dtpinn.problem.time_slices import TimeSlices


class Region(nn.Module):
    """The points of one residual: some rows of X, repeated for every time.

    Attributes
    ----------
    name : str
        Of the residual: "pde", "boundary", or "boundary.part".
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
    fields, equations : int
        Of the unknown, and of the residual at a point.
    beyond : Region or None
        The same points a period further: the residual is then what the function changes from there
        to here.
    asks_space, asks_time : bool
        Whether the residual takes derivatives in space, in time. These, and how many fields and
        equations there are, the dry run finds out.
    """

    fields: int = 1
    equations: int = 1
    asks_space: bool = False
    asks_time: bool = False

    points: Tensor
    normals: Tensor | None
    time: Tensor | None
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
    ) -> None:
        super().__init__()
        self.name, self.function, self.sides, self.outward = name, function, sides, outward
        self.beyond: Region | None = None
        self.rows = np.asarray(rows, dtype=np.int64)
        self.share = share * slices.count
        points = torch.tensor(x[self.rows], dtype=dtype)
        self.register_buffer("points", slices.repeat(points))
        normals = None if outward is None else torch.tensor(outward, dtype=dtype)
        self.register_buffer("normals", None if normals is None else slices.repeat(normals))
        self.register_buffer("time", slices.spread(points))
        self.register_buffer("row_index", torch.from_numpy(self.rows), persistent=False)

    @property
    def on_boundary(self) -> bool:
        """Whether it is a condition on the boundary."""
        return self.outward is not None

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
    pde: PDE, nodes: Nodes, sides: Sides, slices: TimeSlices, dtype: torch.dtype
) -> list[Region]:
    """Return a region for the condition on the boundary, or one for each of its parts.

    Raises
    ------
    ValueError
        If the conditions do not cover the named parts of the boundary, or name others.

    Warns
    -----
    UserWarning
        If a condition is given for a part in which no node lies.
    """
    conditions = pde.conditions()
    if conditions:
        _check_parts(pde, nodes, sides)
    everywhere = np.arange(len(sides))
    holds = (
        {"boundary": (pde.boundary, everywhere)}
        if not conditions
        else {
            f"boundary.{part}": (condition, np.flatnonzero(sides.part == nodes.parts.index(part)))
            for part, condition in conditions.items()
        }
    )
    return [
        Region(
            name, function, nodes.collocation, nodes.interior_count + sides.point[which],
            len(sides), slices, dtype, which, sides.normals[which],
        )
        for name, (function, which) in holds.items()
        if len(which)
    ]  # fmt: skip


def initial_region(pde: PDE, nodes: Nodes, dtype: torch.dtype) -> Region:
    """Return the region of the initial condition: all of X, at the first of the times."""
    rows = np.arange(nodes.count)
    condition = InitialCondition(pde.initial)
    return Region("initial", condition, nodes.collocation, rows, len(rows), TimeSlices(), dtype)


class InitialCondition:
    """``initial(u, x)`` as any other residual is called; of what else it is given it takes nothing.

    Attributes
    ----------
    func : callable
        The condition itself, for messages.
    """

    def __init__(self, func: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.func = func

    def __call__(self, u: Tensor, D: Derivatives | None, x: Tensor, *t: Tensor) -> Tensor:
        """Return the residual at points (n, d)."""
        return self.func(u, x)


def _check_parts(pde: PDE, nodes: Nodes, sides: Sides) -> None:
    given, present = set(pde.conditions()), {nodes.parts[part] for part in np.unique(sides.part)}
    if not present <= given or not given <= set(nodes.parts):
        raise ValueError(
            f"{type(pde).__name__}: conditions are given for the parts {sorted(given)}, but "
            f"the boundary of these nodes consists of {sorted(nodes.parts)}; give one condition "
            "for each part, or one for the whole boundary"
        )
    if lost := sorted(given - present):
        warnings.warn(
            f"no boundary node lies in the part {', '.join(map(repr, lost))}: it is shorter than "
            "the spacing, and its condition will not be seen. Use a smaller spacing there "
            "(dtpinn.nodes.graded, or a function of the place)",
            stacklevel=2,
        )
