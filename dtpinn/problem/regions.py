"""Regions: where each residual of an equation holds, as tensors made once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE


class Region(nn.Module):
    """The points of one residual: some rows of X, repeated for every time.

    Attributes
    ----------
    name : str
        Of the residual: "pde", "boundary", or "boundary.part".
    function : callable
        The residual itself: ``function(u, D, *data)``.
    rows : (m,) int array
        Which rows of X = interior | boundary.
    on_boundary : bool
    share : int
        What the sum of squares is divided by in the loss. Parts of the boundary share one
        denominator, so that each boundary point weighs the same, whatever its part.
    points : Tensor, (m * times, d)
        Node-major: all times of the first node, then of the second.
    normals : Tensor, (m * times, d), or None inside the domain
    time : Tensor, (m * times,), or None for a steady problem
    asks_time : bool
        Whether the residual takes derivatives in time; the dry run finds out.
    """

    points: Tensor
    normals: Tensor | None
    time: Tensor | None
    row_index: Tensor

    def __init__(
        self,
        name: str,
        function: Callable[..., Tensor],
        nodes: Nodes,
        rows: NDArray[np.int64],
        share: int,
        times: Tensor | None,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.name, self.function, self.rows = name, function, rows
        self.on_boundary = name != "pde"
        self.asks_time = False
        count = 1 if times is None else len(times)
        self.share = share * count
        self.register_buffer("points", repeat(nodes.collocation[rows], count, dtype))
        inward = rows - nodes.interior_count
        normals = repeat(nodes.normals[inward], count, dtype) if self.on_boundary else None
        self.register_buffer("normals", normals)
        time = None if times is None else times.detach().to(dtype=dtype).repeat(len(rows))
        self.register_buffer("time", time)
        self.register_buffer("row_index", torch.from_numpy(rows), persistent=False)

    @property
    def data(self) -> tuple[Tensor, ...]:
        """What a residual receives after u and D: x, the normals on the boundary, t if any."""
        parts = (self.points, self.normals, self.time)
        return tuple(part for part in parts if part is not None)


def repeat(values: NDArray[np.float64], times: int, dtype: torch.dtype) -> Tensor:
    """Repeat every row of values (m, d) for each time, node-major: (m * times, d)."""
    return torch.tensor(values, dtype=dtype).repeat_interleave(times, dim=0)


def make_regions(
    pde: PDE,
    nodes: Nodes,
    pde_rows: NDArray[np.int64],
    times: Tensor | None,
    dtype: torch.dtype,
) -> list[Region]:
    """Return the region of the equation and one for each condition on the boundary.

    Raises
    ------
    ValueError
        If the conditions do not cover the named parts of the boundary exactly.
    """
    boundary_count = nodes.boundary_count
    holds: list[tuple[str, Callable[..., Tensor], NDArray[np.integer], int]] = [
        ("pde", pde.residual, pde_rows, len(pde_rows))
    ]
    conditions = pde.conditions()
    if not conditions:
        everywhere = np.arange(boundary_count)
        holds.append(("boundary", pde.boundary, everywhere + nodes.interior_count, boundary_count))
    elif set(conditions) != set(nodes.parts):
        raise ValueError(
            f"{type(pde).__name__}: conditions are given for the parts {sorted(conditions)}, but "
            f"the boundary of these nodes consists of {sorted(nodes.parts)}; give one condition "
            "for each part, or one for the whole boundary"
        )
    for part, condition in conditions.items():
        rows = nodes.part_rows(part) + nodes.interior_count
        holds.append((f"boundary.{part}", condition, rows, boundary_count))
    return [
        Region(name, function, nodes, np.asarray(rows, dtype=np.int64), share, times, dtype)
        for name, function, rows, share in holds
        if len(rows)
    ]
