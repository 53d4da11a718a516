"""Problem: what training sees of an equation on a set of nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import reduce
from typing import cast

import torch
from torch import Tensor, nn

from dtpinn.nodes import Nodes
from dtpinn.pde.automatic_derivatives import AutomaticDerivatives
from dtpinn.problem.arrangement import Corners
from dtpinn.problem.balance.adaptive import equal_rates
from dtpinn.problem.balance.noise import unbending_multiple
from dtpinn.problem.balance.scales import FieldScales, field_scales
from dtpinn.problem.balance.weights import (
    Choice,
    Chosen,
    Weights,
    as_chosen,
    balanced_weights,
    check_weights,
    equal_weights,
    point_weights,
)
from dtpinn.problem.dry_run import COMPLEX, Request
from dtpinn.problem.posed import DTYPES, Posed
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import with_time
from dtpinn.problem.weighted_squares import sum_of_squares, weighted

Model = Callable[[Tensor], Tensor]


class Problem(nn.Module, ABC):
    """An equation on nodes, as residuals of a model.

    A model maps points (n, d), or (n, d + 1) with the time last, to (n,) or (n, fields). The loss
    is the sum over the residuals of their mean squares, equations (4), (12) and (16), each with a
    weight: see `set_weights`. To do otherwise, override `loss_parts`.

    Attributes
    ----------
    pde : PDE
    posed : Posed
        Which residual holds where.
    """

    @torch.inference_mode(False)  # wherever it is made, its tensors must serve training
    def __init__(self, posed: Posed) -> None:
        super().__init__()
        self.pde, self.posed = posed.pde, posed
        self._regions = nn.ModuleList(posed.everywhere)  # to follow the problem to its device
        self.set_weights("balanced")
        self._scales: FieldScales | None = None

    @property
    def nodes(self) -> Nodes:
        """With the ghosts that serve; X is as given."""
        return self.posed.nodes

    @property
    def corners(self) -> Corners:
        """Which conditions hold at a corner: see :func:`dtpinn.discretize`."""
        return self.posed.corners

    @property
    def times(self) -> Tensor | None:
        """The times of a space-time problem, the first being that of the initial condition."""
        return self.posed.slices.values

    @property
    def requests(self) -> tuple[Request, ...]:
        """The operators that the residuals ask for, as a dry run on a few points found them."""
        return self.posed.requests

    @property
    def regions(self) -> list[Region]:
        """Where the equation and the conditions on the boundary hold, in their order."""
        return list(self.posed.regions)

    @property
    def names(self) -> list[str]:
        """Of the residuals, in their order."""
        return self.posed.names

    def set_weights(self, choice: Choice) -> None:
        """Choose how much each residual counts in the loss.

        Parameters
        ----------
        choice : "balanced", "equal", "adaptive" or mapping of str to float or Tensor
            "balanced": every equation and every condition by 1 / size^2, its size being what its
            operators make of a solution as large as the data ask for, at a wavenumber halfway
            between the domain's and the spacing's; with a rate of change, at the domain's own and
            over the whole duration. "equal": 1, the paper's. A mapping gives
            multiples of the balanced weights, by name of the residual; "boundary" stands for all
            of its parts, and what is not named keeps its own. A multiple may be an array (n,): of
            each of its points, or of each at every time. "adaptive": the balanced ones until
            `adapt` is called, which :func:`dtpinn.fit` does whenever a stage begins.

        Raises
        ------
        TypeError, ValueError
            If it is none of these, or names a residual that there is not.
        """
        check_weights(choice, self.names)
        choice = as_chosen(choice)
        by_point = point_weights(choice, self.posed.everywhere, self.posed.slices.count)
        for region in self.posed.data:
            by_point[region.name] = by_point.get(region.name, 1.0) * region.emphasis.cpu()
        self.weight_choice: Chosen = choice
        self._weights = cast("Weights | None", None)
        self._by_point = by_point
        self.forget_training()

    def forget_training(self) -> None:
        """Take the weights back to what they are before any training has changed them."""
        self.adapted: dict[str, float] = {}
        self.misfits: dict[str, float] = {}

    def adapt(self, model: nn.Module) -> None:
        """Let all residuals of a model decay at one rate, if the weights are "adaptive".

        They stay so until the next call: within a stage of training the loss is one and the same,
        as the memory of L-BFGS and the damping of Gauss-Newton need it. See
        :func:`~dtpinn.problem.balance.adaptive.equal_rates`.
        """
        if self.weight_choice != "adaptive":
            return
        self.adapted = {}

        def residuals() -> dict[str, Tensor]:
            found = self.residuals(model)
            priors = {region.name for region in self.posed.data if region.prior}
            return {
                name: weighted(r, self._in_use[name], None)
                for name, r in found.items()
                if name not in priors
            }

        self.adapted = equal_rates(residuals, [p for p in model.parameters() if p.requires_grad])

    @property
    def weights(self) -> dict[str, float | tuple[float, ...]]:
        """The weight of each residual in the loss; of each equation, where they differ.

        Taken once, with the unknown coefficients as they are by then.
        """
        return {name: w[0] if len(set(w)) == 1 else w for name, w in self._in_use.items()}

    @property
    def _in_use(self) -> Weights:
        of = self.adapted
        return {n: tuple(of.get(n, 1.0) * x for x in w) for n, w in self._unadapted.items()}

    @property
    def _unadapted(self) -> Weights:
        if self._weights is None:
            self._weights = (
                equal_weights(self.names)
                if self.weight_choice == "equal"
                else balanced_weights(self.posed, self.scales, self.weight_choice)
            )
        return self._weights

    @property
    def unbending(self) -> float:
        """The multiple of the weights of data at which no equation bends to their noise."""
        return unbending_multiple(self.posed, self.scales, self._unadapted)

    @property
    def scales(self) -> FieldScales:
        """Centre and size of every field, as equation and data let them be expected."""
        if self._scales is None:
            self._scales = field_scales(self.posed)
        return self._scales

    @property
    def dtype(self) -> torch.dtype:
        """Of the points, the matrices and the model."""
        return self.posed.dtype

    @property
    def device(self) -> torch.device:
        """Where the points are."""
        return self.posed.device

    @property
    def points(self) -> Tensor:
        """X as the model takes it: (Ni+Nb, d), or (n * times, d + 1), node-major, in space-time."""
        x = torch.tensor(self.nodes.collocation, dtype=self.dtype, device=self.device)
        return self.posed.slices.inputs(x)

    @abstractmethod
    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable.

        "pde" at the collocation points, "boundary" (or "boundary.part" where conditions differ) on
        the boundary, and "initial" in space-time. Rows are node-major in space-time.
        """

    def data_residuals(self, model: Model) -> dict[str, Tensor]:
        """Return the misfits of data by name, each (m,) or (m, columns), differentiable."""
        result = {}
        for region in self.posed.data:
            if region.differentiates:
                result[region.name] = self.automatic_residual(model, region)
            else:
                u = self.evaluate(model, with_time(region.points, region.time))
                result[region.name] = region.residual(u, None)
        return result

    def automatic_residual(self, model: Model, region: Region) -> Tensor:
        """Return the residual on a region with derivatives by automatic differentiation."""

        def unknown(x: Tensor, t: Tensor | None = None) -> Tensor:
            return self.evaluate(model, with_time(x, t))

        with torch.enable_grad():  # the derivatives need it, whatever the caller does with them
            x = region.points.detach().requires_grad_()
            t = None if region.time is None else region.time.detach().requires_grad_()
            u = unknown(x, t)
            return region.residual(u, AutomaticDerivatives(u, x, region.normals, t, unknown))

    def loss(self, model: Model) -> Tensor:
        """Return the weighted sum of the mean squares of all residuals: a differentiable scalar."""
        return reduce(torch.add, self.loss_parts(self.residuals(model)).values())

    def loss_parts(self, residuals: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weighted mean square of each residual, by name; the loss is their sum."""
        shares = {region.name: region.share for region in self.posed.everywhere}
        in_use, by_point = self._in_use, self._by_point
        return {
            name: sum_of_squares(weighted(r, in_use[name], by_point.get(name), shares[name]))
            for name, r in residuals.items()
        }

    def evaluate(self, model: Model, points: Tensor) -> Tensor:
        """Return the model's values (n,) or (n, fields) at points, checked against the PDE."""
        return self._checked(model(points), points)

    def evaluate_with_rate(self, model: Model, points: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return values and their derivative in the last coordinate, if the model has both in one.

        None where it has not; differentiate its values then.
        """
        together = getattr(model, "value_and_rate", None)
        if together is None or (both := together(points)) is None:
            return None
        u, rate = both
        return self._checked(u, points), self._checked(rate, points)

    def _checked(self, u: object, points: Tensor) -> Tensor:
        """What a model returned."""
        if not isinstance(u, Tensor):
            raise TypeError(f"the model must return a torch tensor, got {type(u).__name__}")
        fields = self.pde.field_count
        wanted = self.posed.shape_of(len(points))
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
                f"{type(self.pde).__name__} has {fields} field(s), "
                f"{', '.join(self.pde.field_names)}: expected {wanted}. Set `fields` "
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


def check_device(device: torch.device | str | None) -> None:
    """Raise ValueError, before anything is assembled, unless tensors can be put on the device."""
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {str(device)!r} cannot be used: {reason}") from None
