"""Posed: an equation on nodes, before anybody knows how its derivatives are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.problem.arrangement import Corners, counted_sides, without_outweighed
from dtpinn.problem.constraint_place import Place
from dtpinn.problem.constraints import Constraint, constraint_regions
from dtpinn.problem.data import Data
from dtpinn.problem.data_regions import DataRegion, data_regions
from dtpinn.problem.dry_run import Request, dry_run
from dtpinn.problem.jumps import warn_of_jumps
from dtpinn.problem.regions import (
    Region,
    boundary_regions,
    initial_region,
    name_apart,
    pde_region,
)
from dtpinn.problem.smooth import Smooth
from dtpinn.problem.time_slices import TimeSlices
from dtpinn.problem.value_jumps import value_jumps

# From nodes, the equation on all of X, and conditions: the nodes with the ghosts that serve, and
# the rows of X on which the equation holds.
Arrangement = Callable[[Nodes, Region, Sequence[Region]], tuple[Nodes, NDArray[np.integer]]]

DTYPES = (torch.float64, torch.float32)


@dataclass(frozen=True, eq=False)
class Posed:
    """Which residual holds where, and which operators the residuals ask for.

    Made by :func:`pose`. The regions are modules, held by the problem as well: they follow it to
    its device and its dtype.

    Attributes
    ----------
    pde : PDE
    nodes : Nodes
        With the ghosts that serve; X is as given.
    corners : "auto", "each" or "mean"
    slices : TimeSlices
    regions : tuple of Region
        The equation's, then those of the conditions on the boundary.
    initial : Region or None
        Of the initial condition; None in a steady problem.
    requests : tuple of Request
        Of the equation, the conditions on the boundary and the constraints.
    requests_at_start : tuple of Request
        Of the initial condition.
    constraints : tuple of Region
        One equation over each, at every time.
    data : tuple of DataRegion
        At points of their own.
    """

    pde: PDE
    nodes: Nodes
    corners: Corners
    slices: TimeSlices
    regions: tuple[Region, ...]
    initial: Region | None
    requests: tuple[Request, ...]
    requests_at_start: tuple[Request, ...] = ()
    constraints: tuple[Region, ...] = ()
    data: tuple[DataRegion, ...] = ()

    def __repr__(self) -> str:
        return f"Posed({type(self.pde).__name__}, {', '.join(self.names)})"

    @property
    def spatial(self) -> list[Region]:
        """What holds at every time: the equation, the conditions and the constraints."""
        return [*self.regions, *self.constraints]

    @property
    def nodal(self) -> list[Region]:
        """All regions of residuals that depend on nodal values, the initial one last."""
        return [*self.spatial, *([] if self.initial is None else [self.initial])]

    @property
    def everywhere(self) -> list[Region]:
        """All regions, those of data last."""
        return [*self.nodal, *self.data]

    @property
    def names(self) -> list[str]:
        """Of the residuals, in their order."""
        return [region.name for region in self.everywhere]

    @property
    def time_order(self) -> int:
        """How many derivatives in time there are: 0 in a steady problem, else 1 or 2."""
        return 0 if self.slices.steady else max(1, *(r.time_order for r in self.spatial))

    @property
    def takes_one_rate(self) -> bool:
        """Whether the first derivative in time of the unknown itself is all that is taken."""
        orders = {region.time_order for region in self.nodal}
        return max(orders) == 1 and not any(region.rates_of_functions for region in self.nodal)

    @property
    def dtype(self) -> torch.dtype:
        """Of the points."""
        return self.regions[0].points.dtype

    @property
    def device(self) -> torch.device:
        """Where the points are."""
        return self.regions[0].points.device

    @property
    def nodal_shape(self) -> tuple[int, ...]:
        """Shape of nodal values on X~ at one time: (nodes,), or (nodes, fields) of a system."""
        return self.shape_of(len(self.nodes.extended))

    def shape_of(self, count: int) -> tuple[int, ...]:
        """Return the shape of the unknown at so many points: (count,), or (count, fields)."""
        return (count,) if self.pde.field_count == 1 else (count, self.pde.field_count)

    def with_ghosts(self, on_x: Floats) -> Floats:
        """Return values on X~ of values on X: each ghost has its boundary node's."""
        return np.concatenate([on_x, on_x[self.nodes.interior_count + self.nodes.ghost_of]])


@torch.inference_mode(False)  # wherever it is made, its tensors must serve training
def pose(
    pde: PDE,
    nodes: Nodes,
    times: Tensor | Sequence[float] | None,
    dtype: torch.dtype,
    corners: Corners,
    arrange: Arrangement,
    constraints: Sequence[Constraint] = (),
    data: Sequence[Data | Smooth] = (),
    order: int = 4,
    *,
    by_stencils: bool = False,
) -> Posed:
    """Return where the residuals of an equation hold, once each has been through its dry run.

    `order` is that of the integrals in the constraints; `by_stencils` tells that derivatives will
    be, so that jumps of the data are to be seen to.

    Raises
    ------
    TypeError, ValueError
        If an argument is none, or a residual fails its dry run.
    """
    _check(pde, nodes, dtype)
    pde = pde.on_cloud(nodes.collocation, nodes.local_spacing)
    slices = TimeSlices.checked(times)
    sides = counted_sides(nodes, corners)
    conditions = boundary_regions(pde, nodes, sides, slices, dtype)
    equation = pde_region(pde, nodes, np.arange(nodes.count), slices, dtype)
    requests = dry_run(pde, [equation, *conditions])
    jumps = value_jumps(nodes, sides, conditions) if by_stencils and slices.steady else ()
    if jumps and (beside := pde.on_jumps(jumps)) is not pde:
        pde = beside
        conditions = boundary_regions(pde, nodes, sides, slices, dtype)
        equation = pde_region(pde, nodes, np.arange(nodes.count), slices, dtype)
        requests = dry_run(pde, [equation, *conditions])
    if corners == "auto":
        kept = without_outweighed(nodes, sides, conditions)
        if not all(on.all() for on in kept.values()):
            conditions = boundary_regions(pde, nodes, sides, slices, dtype, kept)
            requests = dry_run(pde, [equation, *conditions])
    arranged, rows = arrange(nodes, equation, conditions)
    if len(rows) < nodes.count:
        equation = pde_region(pde, nodes, rows, slices, dtype)
        dry_run(pde, [equation])
    warn_of_jumps(pde, nodes)
    initial = None if slices.steady else initial_region(pde, nodes, slices, dtype)
    at_start = () if initial is None else dry_run(pde, [initial])
    regions = equation, *conditions
    place = Place(arranged, order, slices, dtype, pde.field_names)
    held = constraint_regions(constraints, place)
    measured = data_regions(data, nodes, pde.field_names, slices, dtype)
    name_apart([*regions, *([] if initial is None else [initial]), *held, *measured])
    requests += dry_run(pde, held)
    dry_run(pde, measured)  # their derivatives are automatic
    return Posed(
        pde, arranged, corners, slices, regions, initial, requests, at_start, tuple(held),
        tuple(measured),
    )  # fmt: skip


def _check(pde: PDE, nodes: Nodes, dtype: torch.dtype) -> None:
    if not isinstance(pde, PDE):
        raise TypeError(f"expected a dtpinn.PDE, got {type(pde).__name__}")
    if not isinstance(nodes, Nodes):
        raise TypeError(
            f"expected dtpinn.Nodes, got {type(nodes).__name__}; make them with "
            "dtpinn.place_nodes or dtpinn.Nodes.from_points"
        )
    if dtype not in DTYPES:
        raise TypeError(f"dtype must be torch.float64 or torch.float32, got {dtype}")
