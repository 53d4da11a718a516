"""Problem: what training sees of an equation on a set of nodes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.problem.arrangement import Corners, counted_sides, without_outweighed
from dtpinn.problem.balance.scales import FieldScales, field_scales
from dtpinn.problem.balance.weights import Choice, Weights, check_weights, weights_of
from dtpinn.problem.dry_run import COMPLEX, Request, dry_run
from dtpinn.problem.regions import Region, boundary_regions, pde_region, repeat

Model = Callable[[Tensor], Tensor]
# From nodes, the equation on all of X, and conditions: the nodes with the ghosts that serve, and
# the rows of X on which the equation holds.
Arrangement = Callable[[Nodes, Region, Sequence[Region]], tuple[Nodes, NDArray[np.integer]]]

DTYPES = (torch.float64, torch.float32)


class Problem(nn.Module, ABC):
    """An equation on nodes, as residuals of a model.

    A model maps points (n, d), or (n, d + 1) with the time last, to (n,) or (n, fields). The loss
    is the sum over the residuals of their mean squares, equations (4), (12) and (16), each with a
    weight: see `set_weights`. To do otherwise, override `loss_parts`.

    Attributes
    ----------
    pde : PDE
    nodes : Nodes
        With the ghosts that serve; X is as given.
    corners : "auto", "each" or "mean"
        Which conditions hold at a corner: see :func:`dtpinn.discretize`.
    times : Tensor or None
        The time slices of a space-time problem, the first being that of the initial condition.
    dtype : torch.dtype
    requests : tuple of Request
        The operators that the residuals ask for, as a dry run on a few points found them.
    """

    initial_points: Tensor

    @torch.inference_mode(False)  # wherever it is made, its tensors must serve training
    def __init__(
        self,
        pde: PDE,
        nodes: Nodes,
        times: Tensor | Sequence[float] | None,
        dtype: torch.dtype,
        corners: Corners,
        arrange: Arrangement,
    ) -> None:
        super().__init__()
        if not isinstance(pde, PDE):
            raise TypeError(f"expected a dtpinn.PDE, got {type(pde).__name__}")
        if not isinstance(nodes, Nodes):
            raise TypeError(
                f"expected dtpinn.Nodes, got {type(nodes).__name__}; make them with "
                "dtpinn.place_nodes or dtpinn.Nodes.from_points"
            )
        if dtype not in DTYPES:
            raise TypeError(f"dtype must be torch.float64 or torch.float32, got {dtype}")
        self.pde, self.corners, self.times = pde, corners, check_times(times)
        sides = counted_sides(nodes, corners)
        conditions = boundary_regions(pde, nodes, sides, self.times, dtype)
        equation = pde_region(pde, nodes, np.arange(nodes.count), self.times, dtype)
        self.requests: tuple[Request, ...] = dry_run(pde, [equation, *conditions])
        if corners == "auto":
            kept = without_outweighed(nodes, sides, conditions, pde.fields)
            if len(kept) < len(sides):
                conditions = boundary_regions(pde, nodes, kept, self.times, dtype)
                self.requests = dry_run(pde, [equation, *conditions])
        self.nodes, rows = arrange(nodes, equation, conditions)
        if len(rows) < nodes.count:
            equation = pde_region(pde, nodes, rows, self.times, dtype)
            dry_run(pde, [equation])
        self._regions = nn.ModuleList([equation, *conditions])
        self.set_weights("balanced")
        self._scales: FieldScales | None = None
        if self.times is not None:
            self.register_buffer("initial_points", repeat(nodes.collocation, 1, dtype))

    @property
    def regions(self) -> list[Region]:
        """Where the residuals hold, in their order."""
        return [cast(Region, region) for region in self._regions]

    @property
    def names(self) -> list[str]:
        """Of the residuals, in their order."""
        return [region.name for region in self.regions] + ["initial"] * (self.times is not None)

    def set_weights(self, choice: Choice) -> None:
        """Choose how much each residual counts in the loss.

        Parameters
        ----------
        choice : "balanced", "equal" or mapping of str to float
            "balanced": every equation and every condition by 1 / size^2, its size being what its
            operators make of a solution as large as the data ask for, at a wavenumber halfway
            between the domain's and the spacing's; with a rate of change, at the domain's own and
            over the whole duration. "equal": 1, the paper's. A mapping gives
            multiples of the balanced weights, by name of the residual; "boundary" stands for all
            of its parts, and what is not named keeps its own.

        Raises
        ------
        TypeError, ValueError
            If it is none of these, or names a residual that there is not.
        """
        check_weights(choice, self.names)
        self.weight_choice, self._weights = choice, cast("Weights | None", None)

    @property
    def weights(self) -> dict[str, float | tuple[float, ...]]:
        """The weight of each residual in the loss; of each equation, where they differ.

        Taken once, with the unknown coefficients as they are by then.
        """
        return {name: w[0] if len(set(w)) == 1 else w for name, w in self._in_use.items()}

    @property
    def _in_use(self) -> Weights:
        if self._weights is None:
            self._weights = weights_of(self, self.weight_choice)
        return self._weights

    @property
    def scales(self) -> FieldScales:
        """Centre and size of every field, as equation and data let them be expected."""
        if self._scales is None:
            self._scales = field_scales(self)
        return self._scales

    @property
    def dtype(self) -> torch.dtype:
        """Of the points, the matrices and the model."""
        return self.regions[0].points.dtype

    @property
    def device(self) -> torch.device:
        """Where the points are."""
        return self.regions[0].points.device

    @property
    def points(self) -> Tensor:
        """X as the model takes it: (Ni+Nb, d), or (n * times, d + 1), node-major, in space-time."""
        if self.times is None:
            return torch.tensor(self.nodes.collocation, dtype=self.dtype, device=self.device)
        times = self.times.to(dtype=self.dtype, device=self.device)
        x = self.initial_points.repeat_interleave(len(times), dim=0)
        return torch.cat([x, times.repeat(self.nodes.count)[:, None]], dim=1)

    @abstractmethod
    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable.

        "pde" at the collocation points, "boundary" (or "boundary.part" where conditions differ) on
        the boundary, and "initial" in space-time. Rows are node-major in space-time.
        """

    def loss(self, model: Model) -> Tensor:
        """Return the weighted sum of the mean squares of all residuals: a differentiable scalar."""
        parts = self.loss_parts(self.residuals(model))
        return torch.stack(list(parts.values())).sum()

    def loss_parts(self, residuals: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weighted mean square of each residual, by name; the loss is their sum."""
        shares = {region.name: region.share for region in self.regions}
        shares["initial"] = self.nodes.count
        return {
            name: _sum_of_squares(r, self._in_use[name]) / shares[name]
            for name, r in residuals.items()
        }

    def evaluate(self, model: Model, points: Tensor) -> Tensor:
        """Return the model's values (n,) or (n, fields) at points, checked against the PDE."""
        u = model(points)
        if not isinstance(u, Tensor):
            raise TypeError(f"the model must return a torch tensor, got {type(u).__name__}")
        fields = self.pde.fields
        wanted = (len(points),) if fields == 1 else (len(points), fields)
        if fields == 1 and u.shape == (len(points), 1):
            u = u[:, 0]
        if u.shape[:1] != (len(points),):
            raise ValueError(
                f"the model returned {tuple(u.shape)} for {len(points)} points; it must answer for "
                "whatever points it is called with, ghost nodes among them. Of values at the nodes "
                "problem.interpolate(values, points) makes others"
            )
        if u.shape != wanted:
            raise ValueError(
                f"the model returned shape {tuple(u.shape)} for {len(points)} points, but "
                f"{type(self.pde).__name__} has {fields} field(s): expected {wanted}. Set `fields` "
                "of the PDE or of the model"
            )
        if u.dtype != self.dtype:
            raise TypeError(f"the model returned {u.dtype}, but {self._of_dtype(u.dtype)}")
        return u

    def _of_dtype(self, other: torch.dtype) -> str:
        """What the problem's dtype is, and what to do with a model of another one."""
        if other.is_complex:
            return f"the problem is in {self.dtype}; {COMPLEX}"
        told = f"the problem is in {self.dtype}; convert the model: model.to({self.dtype})"
        return f"{told}, or the problem: problem.to({other})" if other in DTYPES else told

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Problem:
        """Convert in place, for ``.to()`` and its like, once the dtype is known to serve."""
        dtype = fn(torch.empty(0, dtype=self.dtype, device=self.device)).dtype
        if dtype not in DTYPES:
            raise TypeError(f"a problem is in torch.float64 or torch.float32, so not {dtype}")
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


def _sum_of_squares(r: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Weighted before it is squared: a residual in pascals would overflow float32."""
    if len(set(weights)) == 1:
        return (r if weights[0] == 1.0 else r * math.sqrt(weights[0])).square().sum()
    columns = zip(r.unbind(1), weights, strict=True)
    return torch.stack([(column * math.sqrt(w)).square().sum() for column, w in columns]).sum()


def check_device(device: torch.device | str | None) -> None:
    """Raise ValueError, before anything is assembled, unless tensors can be put on the device."""
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {str(device)!r} cannot be used: {reason}") from None


def check_times(times: Tensor | Sequence[float] | None) -> Tensor | None:
    """Two or more increasing times, or None for a steady problem."""
    if times is None:
        return None
    result = torch.as_tensor(times, dtype=torch.float64).detach().cpu()
    if result.dim() != 1 or len(result) < 2 or not bool((result.diff() > 0).all()):
        raise ValueError(f"times must be two or more increasing numbers, got {times}")
    return result
